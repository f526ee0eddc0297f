"""Importing published local plans and their timetables."""

from partnerships.transfer.services.local_plans.importing import File, import_local_plans

__all__ = ["File", "import_local_plans"]
