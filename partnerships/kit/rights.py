"""The exception for an action without the right to it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied


class UnableToAct(PermissionDenied):
    """The person has no right to do this.

    Views do not catch it: Django answers 403. A loader names the entry of its file.
    """


def require(permitted: bool, words: str = "You do not have permission to do this.") -> None:
    """Raise `UnableToAct` unless permitted; `words` say who may, for logs."""
    if not permitted:
        raise UnableToAct(words)
