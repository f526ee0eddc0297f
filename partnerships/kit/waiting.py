"""What waits for a person: one shape, for My work and digests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol, TypeAlias, overload

from django.urls import reverse

#: How many things of one kind are looked up for a person, the most urgent first. Pages say "more than 1,000".
MAX_LISTED = 1_001


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits for a person.

    `what` says what to do ("Answer this ask"), `title` is the record's title, `path` its address on the site, `since`
    the moment when it began to wait, `due` its last day if it has one, and `within` the title of its partnership or "".

    Of thousands a page shows a few, so words that need queries of their own may be missing until `in_full` adds them.
    """

    what: str
    title: str
    path: str
    since: dt.datetime | None = None
    due: dt.date | None = None
    within: str = ""
    status: str = ""
    status_label: str = ""
    #: What adds the missing words to things of its kind (see `in_full`), and the number by which it looks them up.
    number: int = field(default=0, compare=False)
    complete: Complete | None = field(default=None, compare=False)

    def oldest_first(self) -> tuple[str, ...]:
        """A sort key: by due day, then by waiting time, then the rest.

        Addresses come first in the rest, which sorts records of one kind by number, as the rows of `InOrder` are.
        Different for each thing that waits for one person.
        """
        due = self.due.isoformat() if self.due else "9999-12-31"
        since = self.since.isoformat() if self.since else "9999"
        return (min(due, since[:10]), since, f"{len(self.path):03}", self.path, self.title, self.what)


@dataclass(frozen=True, slots=True)
class InOrder(Sequence[Waiting]):
    """Things of one kind, the most urgent first, made when looked at.

    A page shows a few of thousands, but counts them all. `due` gives the last day of a row, if it has one.
    """

    rows: Sequence[Any]
    make: Callable[[Any], Waiting]
    due: Callable[[Any], dt.date | None]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Waiting: ...

    @overload
    def __getitem__(self, place: slice) -> list[Waiting]: ...

    def __getitem__(self, place: int | slice) -> Waiting | list[Waiting]:
        if isinstance(place, slice):
            return [self.make(row) for row in self.rows[place]]
        return self.make(self.rows[place])


#: Sorts rows of one kind as `Waiting.oldest_first` sorts what is made of them.
Urgency: TypeAlias = tuple[dt.date, dt.datetime, int]
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def urgency(due: dt.date | None, since: dt.datetime | None, number: int) -> Urgency:
    """The sort key of a row: its day, since when it waits, its number."""
    since = since or _NEVER
    return min(due or dt.date.max, since.date()), since, number


class Work:
    """What waits for one person, from many kinds of thing."""

    def __init__(self, kinds: Iterable[Sequence[Waiting]]) -> None:
        self._kinds = list(kinds)

    def __len__(self) -> int:
        return sum(map(len, self._kinds))

    def first(self, count: int | None = None) -> list[Waiting]:
        """The first of them, or all, the most urgent first."""
        made = (kind[:count] if isinstance(kind, InOrder) else kind for kind in self._kinds)
        return sorted(chain.from_iterable(made), key=Waiting.oldest_first)[:count]

    def due_by(self, day: dt.date) -> int:
        """How many are due by the end of a day."""
        days = (
            map(kind.due, kind.rows) if isinstance(kind, InOrder) else (one.due for one in kind) for kind in self._kinds
        )
        return sum(1 for due in chain.from_iterable(days) if due and due <= day)


class Complete(Protocol):
    """Adds the missing words to things of one kind that wait for one person; equal ones are called once."""

    def __call__(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """The same things with all their words, in the same order."""

    def lookups(self, waiting: Sequence[Waiting]) -> Sequence[Any]:
        """What it is going to ask about them, for `read_ahead`."""


def addresses(route: str) -> Callable[[int], str]:
    """The addresses of a route by the number of a record.

    Resolved once, because `reverse` costs more than everything else about a thing that waits.
    """
    before, after = reverse(route, args=[9_999_999]).split("9999999")
    return lambda number: f"{before}{number}{after}"
