"""Saved views with dates, which the room of lists makes known to this room.

This room cannot import the room of lists, which is above it. That room registers a function that finds a view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from partnerships.kit.calendars import CalendarEntry
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class DatedView:
    """A saved view that a person can open, with the dates of its rows."""

    number: int
    name: str
    href: str
    #: The calendar has the dates of at most this many rows.
    limit: int
    #: Returns the dates of the first `limit` rows.
    entries: Callable[[], Sequence[CalendarEntry]]
    #: Returns whether the view has more rows than `limit`.
    has_more: Callable[[], bool]

    @property
    def limit_text(self) -> str:
        """Return a note that the calendar lacks the dates of some rows; "" if it has the dates of all rows."""
        if not self.has_more():
            return ""
        return (
            f"The view shows more than {self.limit:,} rows. The calendar has the dates of the first {self.limit:,}, in"
            " the view’s order. To get other dates, filter the view or sort it by date."
        )


#: A function that returns the view with a number; None if it does not exist, has no dates, or the person may not open
#: it.
FindView: TypeAlias = Callable[[User, int], DatedView | None]

_registered_finder: list[FindView] = []


def register_views(find: FindView) -> None:
    """Register the function that finds a view. A second call replaces the function."""
    _registered_finder[:] = [find]


def find_view(person: User, number: int) -> DatedView | None:
    """Return the view with this number; None if the person may not open it now, or it has no dates."""
    if not _registered_finder:
        return None
    return _registered_finder[0](person, number)
