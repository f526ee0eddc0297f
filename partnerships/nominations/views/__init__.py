"""Pages of nominations agreements."""

from partnerships.nominations.views.agreement import detail

__all__ = ["detail"]
