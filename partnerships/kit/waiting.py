"""What waits for a person: one shape, for My work and digests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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

        Different for each thing that waits for one person.
        """
        due = self.due.isoformat() if self.due else "9999-12-31"
        since = self.since.isoformat() if self.since else "9999"
        return (min(due, since[:10]), since, self.title, self.path, self.what)


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
