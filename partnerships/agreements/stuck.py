"""Hook through which other rooms report records that are stuck, for example asks without an answer.

Facilitators and leads see them in one list. A room returns only what the reader may read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet

from partnerships.organisations.statements import lookup, read_ahead
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class StuckRecord:
    """One record that is stuck.

    `what` says why it is stuck, for example "Unanswered ask", and `waits_for` says who must act. `partnership_id` is
    None if it belongs to no partnership.
    """

    partnership_id: int | None
    what: str
    title: str
    path: str
    since: dt.date
    waits_for: str = ""

    def days(self, today: dt.date) -> int:
        """Return for how many days the record has been stuck."""
        return max(0, (today - self.since).days)


#: Returns the records of a room that are stuck in partnerships (ids), for a reader at a moment.
FindStuckRecords = Callable[[User, list[int], dt.datetime], list[StuckRecord]]
#: Composes a query of such a function, from the same arguments.
ComposeStuckRows = Callable[[User, list[int], dt.datetime], QuerySet[Any, Any]]


class _Source(NamedTuple):
    """A function that finds stuck records, and the functions that compose its queries."""

    find: FindStuckRecords
    rows: tuple[ComposeStuckRows, ...]


_source_by_name: dict[str, _Source] = {}


def register_stuck(name: str, find: FindStuckRecords, *rows: ComposeStuckRows) -> None:
    """Register a function that finds stuck records of a room.

    `rows` are the functions that `find` passes to `rows_for`. A page reads the rows of all rooms in one query.
    Registering a name again replaces its function.
    """
    _source_by_name[name] = _Source(find, rows)


def stuck_records_in(user: User, partnership_ids: Collection[int], now: dt.datetime) -> list[StuckRecord]:
    """Return the stuck records in these partnerships that the reader may see, the longest stuck first."""
    if not partnership_ids:
        return []
    id_list = list(partnership_ids)
    sources = _source_by_name.values()
    read_ahead(lookup(compose_rows, user, id_list, now) for source in sources for compose_rows in source.rows)
    records = [record for source in sources for record in source.find(user, id_list, now)]
    return sorted(records, key=lambda record: (record.since, record.title, record.path))


#: Returns the stuck records among the single records that a person facilitates, at a moment.
FindFacilitatedRecords = Callable[[User, dt.datetime], list[StuckRecord]]
_find_facilitated_by_name: dict[str, FindFacilitatedRecords] = {}


def register_stuck_facilitated(name: str, find: FindFacilitatedRecords) -> None:
    """Register a function that finds stuck records of a room whose records can have a facilitator of their own."""
    _find_facilitated_by_name[name] = find


def stuck_records_facilitated_by(user: User, now: dt.datetime) -> list[StuckRecord]:
    """Return the stuck records among the single records that the person facilitates."""
    return [record for find in _find_facilitated_by_name.values() for record in find(user, now)]
