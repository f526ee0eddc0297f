"""Dates of saved views of lists, which lie above.

The room of lists says here how a view is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from partnerships.kit.calendars import CalendarEntry
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class DatedView:
    """A saved view that a person can open, and the dates of the rows that it shows them.

    `limit` says how many rows are read; `has_more()` whether the view shows more.
    """

    number: int
    name: str
    href: str
    limit: int
    entries: Callable[[], Sequence[CalendarEntry]]
    has_more: Callable[[], bool]

    @property
    def limit_words(self) -> str:
        """What people read where the calendar lacks rows. Empty where it has all of them."""
        if not self.has_more():
            return ""
        return (
            f"The view shows more than {self.limit:,} rows. The calendar has the dates of the first {self.limit:,}, in"
            " the view’s order. To have others, filter the view or sort it by date."
        )


#: The view with a number for a person; None if it is gone, not theirs to open, or without dates.
Find: TypeAlias = Callable[[User, int], DatedView | None]

_find: list[Find] = []


def register_views(find: Find) -> None:
    """Say how views are read, at start-up."""
    _find[:] = [find]


def find_view(person: User, number: int) -> DatedView | None:
    """The view with this number, as the person may open it now."""
    return _find[0](person, number) if _find else None
