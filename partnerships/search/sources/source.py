"""A source of the index, which defines how records become rows, who may read them, and what changes them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet

from partnerships.organisations.audience import Network, People, Route
from partnerships.search.entries import EntryRow
from partnerships.search.models import EVERYONE

#: A time after every embargo. The index stores the readers at this time, so that it need not change when an embargo
#: ends.
AFTER_EVERY_EMBARGO = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


class MatchingEntry(NamedTuple):
    """An entry that matches a search, before its reader's rights are checked."""

    id: int
    source: str
    object_id: int
    kind: str
    partnership_id: int | None
    organisation_id: int | None
    day: dt.date | None
    number: int
    hidden: bool
    path: str
    rank: float


@dataclass(frozen=True, slots=True)
class RightsCheck:
    """How the rights on the entries of a source are checked.

    `rights_query(user, ids)` is the query about the records. It must be a function of a module, so that its SQL can be
    cached. `allowed_ids(entries, rows)` gets the rows of that query. It returns the ids of the entries that the person
    may read now.
    """

    rights_query: Callable[..., QuerySet[Any, Any]]
    allowed_ids: Callable[[Sequence[MatchingEntry], Collection[Any]], set[int]]


class KindNames(NamedTuple):
    """The name of a kind of entry in the singular and the plural."""

    singular: str
    plural: str


@dataclass(frozen=True, slots=True)
class Source:
    """The records of one model that search finds."""

    code: str
    model: type[Model]
    #: The names of the kinds of entries from this source, by the code of the kind.
    kinds: Mapping[str, KindNames]
    #: Returns the index rows of the records with these ids. Search never finds a record without rows.
    read: Callable[[Collection[int]], Iterable[EntryRow]]
    #: Checks the records' own rights.
    check: RightsCheck
    #: The lookup paths from this model to the value of a column, by "table.column". If a row of that table changes, the
    #: records with its value at the end of one of these paths are indexed again.
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stale_ids(self, column: str, values: Collection[int]) -> set[int]:
        """Return the ids of the records to index again, because rows with these values in a column have changed."""
        ids: set[int] = set()
        for path in self.follows[column]:
            if path == "pk":
                ids |= set(values)
            else:
                rows = self.model._base_manager.filter(**{f"{path}__in": list(values)})
                ids |= set(rows.order_by().values_list("pk", flat=True))
        return ids


def check_by_record(visible_ids: Callable[..., QuerySet[Any, int]]) -> RightsCheck:
    """Return the usual check, by which a person may read an entry if they may read its record.

    `visible_ids(user, ids)` is the query for the ids of the records that the person may read.
    """

    def allowed_ids(entries: Sequence[MatchingEntry], rows: Collection[Any]) -> set[int]:
        readable_ids = set(rows)
        return {entry.id for entry in entries if entry.object_id in readable_ids}

    return RightsCheck(rights_query=visible_ids, allowed_ids=allowed_ids)


def readers_by_routes(
    model: type[Model], routes: Iterable[Route], ids: Collection[int]
) -> defaultdict[int, frozenset[int]]:
    """Return who may read each record by these routes now or later, by the id of the record.

    Conditions of a route on organisations and people are ignored here, because the rights on each result are checked
    when a person searches.
    """
    rows = model._base_manager.filter(pk__in=list(ids)).order_by()
    readers_by_id: defaultdict[int, set[int]] = defaultdict(set)

    # In `readers`, ids of people are negative. This is a set because several routes may have the same path.
    paths_and_signs = {
        (route.path, -1 if isinstance(route, People) else 1) for route in routes if not isinstance(route, Network)
    }
    for path, sign in paths_and_signs:
        rows_on_path = rows.exclude(**{path: None}) if path else rows
        for pk, reader_id in rows_on_path.values_list("pk", path or "pk").distinct():
            if reader_id is not None:
                readers_by_id[pk].add(sign * reader_id)

    for network_route in routes:
        if isinstance(network_route, Network):
            for pk in rows.filter(network_route.when).values_list("pk", flat=True):
                readers_by_id[pk].add(EVERYONE)

    return defaultdict(frozenset, {pk: frozenset(reader_ids) for pk, reader_ids in readers_by_id.items()})
