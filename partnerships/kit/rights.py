"""The one refusal that services raise when a person has no right to act."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied


class UnableToAct(PermissionDenied):
    """The person has no right to do this.

    Views do not catch it: Django answers 403 for every room. A loader names the entry of its file.
    """


def require(permitted: bool, words: str = "You have no right to do this.") -> None:
    """Refuse what is not permitted; `words` say who may, for loaders and logs. Raises `UnableToAct`."""
    if not permitted:
        raise UnableToAct(words)
