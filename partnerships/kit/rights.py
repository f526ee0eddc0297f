"""The exception for an action without the right to it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied


class UnableToAct(PermissionDenied):
    """The person has no right to do this.

    Views let it through, and Django answers 403. Commands that load files report the entry.
    """


def require(permitted: bool, message: str = "You do not have permission to do this.") -> None:
    """Raise `UnableToAct` unless permitted; the message says who may, for logs."""
    if not permitted:
        raise UnableToAct(message)
