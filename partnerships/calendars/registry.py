"""Find saved views with dates.

Lists belong to a higher room, which this room cannot import, so that room registers a function to find a view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from partnerships.kit.calendars import CalendarEntry
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class DatedView:
    """A saved view that a person can open, with the dates of its rows.

    `entries()` reads at most `limit` rows; `has_more()` returns whether the view has more rows than that.
    """

    number: int
    name: str
    href: str
    limit: int
    entries: Callable[[], Sequence[CalendarEntry]]
    has_more: Callable[[], bool]

    @property
    def limit_text(self) -> str:
        """Return the note to people whose calendar does not have all rows of the view; "" if it has all of them."""
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
    """Register the function that finds a view, in place of an earlier one."""
    _registered_finder[:] = [find]


def find_view(person: User, number: int) -> DatedView | None:
    """Return the view with this number; None if the person may not open it now, or it has no dates."""
    if not _registered_finder:
        return None
    return _registered_finder[0](person, number)
