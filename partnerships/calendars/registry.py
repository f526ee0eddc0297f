"""Finds saved views with dates. Lists are above this room, so they register here how to find one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from partnerships.kit.calendars import CalendarEntry
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class DatedView:
    """A saved view that a person can open, and the dates of the rows that it shows them.

    At most `limit` rows are read; `has_more()` says whether the view shows more than that.
    """

    number: int
    name: str
    href: str
    limit: int
    entries: Callable[[], Sequence[CalendarEntry]]
    has_more: Callable[[], bool]

    @property
    def limit_text(self) -> str:
        """The note to people whose calendar lacks rows of the view; "" if it has all of them."""
        if not self.has_more():
            return ""
        return (
            f"The view shows more than {self.limit:,} rows. The calendar has the dates of the first {self.limit:,}, in"
            " the view’s order. To get other dates, filter the view or sort it by date."
        )


#: A function that finds the view with a number for a person; None if it is gone, not theirs to open, or without dates.
FindView: TypeAlias = Callable[[User, int], DatedView | None]

_registered_finder: list[FindView] = []


def register_views(find: FindView) -> None:
    """Register how to find a view, at start-up; replaces an earlier registration."""
    _registered_finder[:] = [find]


def find_view(person: User, number: int) -> DatedView | None:
    """Return the view with this number, if the person may open it now and it has dates."""
    if not _registered_finder:
        return None
    return _registered_finder[0](person, number)
