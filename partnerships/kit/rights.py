"""The exception for an action that the person has no right to do."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied


class UnableToAct(PermissionDenied):
    """Raised if a person has no right to do something.

    Views do not catch it, and Django answers 403. Commands that load files report the entry.
    """


def require(is_permitted: bool, message: str = "You do not have permission to do this.") -> None:
    """Raise `UnableToAct` unless permitted. The message, for logs, says who has the right."""
    if not is_permitted:
        raise UnableToAct(message)
