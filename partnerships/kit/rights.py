"""The one refusal that services raise when a person has no right to act."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied


class UnableToAct(PermissionDenied):
    """The person has no right to do this. Views answer 403; a loader names the entry of its file."""


def require(permitted: bool) -> None:
    """Refuse what is not permitted. Raises `UnableToAct`."""
    if not permitted:
        raise UnableToAct("You have no right to do this.")
