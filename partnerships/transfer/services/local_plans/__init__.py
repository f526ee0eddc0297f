"""Import published local plans and their timetables."""

from partnerships.transfer.services.local_plans.importing import import_local_plans

__all__ = ["import_local_plans"]
