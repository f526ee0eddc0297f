"""Hook for rooms that know what is stuck in a partnership.

A facilitator, and the leads of a partnership, see it as one list. A room gives only what the reader may read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass

from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Stuck:
    """One thing that is stuck.

    `what` says why it is stuck ("Unanswered ask"), `waits_for` who must act, `since` the day from which it counts, and
    `partnership` the id of its partnership, if it has one.
    """

    partnership: int | None
    what: str
    title: str
    path: str
    since: dt.date
    waits_for: str = ""

    def days(self, today: dt.date) -> int:
        """For how many days it has been stuck."""
        return max(0, (today - self.since).days)


#: Finds what is stuck in partnerships (ids) for a reader at a moment.
Find = Callable[[User, Collection[int], dt.datetime], list[Stuck]]
_rooms: dict[str, Find] = {}


def register_stuck(name: str, find: Find) -> None:
    """Register what a room knows of, under a name."""
    _rooms[name] = find


def stuck_in(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Everything that is stuck in these partnerships, as the reader may see it, longest first."""
    if not partnerships:
        return []
    stuck = [record for name in sorted(_rooms) for record in _rooms[name](user, partnerships, now)]
    return sorted(stuck, key=lambda record: (record.since, record.title, record.path))


#: Finds what is stuck among the single records that a person facilitates, at a moment.
FindFacilitated = Callable[[User, dt.datetime], list[Stuck]]
_facilitated: dict[str, FindFacilitated] = {}


def register_facilitated(name: str, find: FindFacilitated) -> None:
    """Register, by name, a room whose records can have a facilitator."""
    _facilitated[name] = find


def stuck_facilitated(user: User, now: dt.datetime) -> list[Stuck]:
    """What is stuck among the single records that the person facilitates."""
    return [record for name in sorted(_facilitated) for record in _facilitated[name](user, now)]
