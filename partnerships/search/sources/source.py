"""What a source declares, and the readers of its records."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet

from partnerships.organisations.audience import Network, People, Route
from partnerships.search.entries import Row
from partnerships.search.models import EVERYONE

#: A moment after every embargo: all who may read something one day are among its readers already.
ONE_DAY = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


class Found(NamedTuple):
    """An entry that fits the words, before its reader's rights are checked."""

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
class Check:
    """How the entries of a source are checked.

    `asks(user, ids)`, which belongs to a module (see `statements`), asks about their records. `passed(entries, rows)`
    gives the ids of those entries that the person may read at this moment.
    """

    asks: Callable[..., QuerySet[Any, Any]]
    passed: Callable[[Sequence[Found], Collection[Any]], set[int]]


@dataclass(frozen=True, slots=True)
class Source:
    """Records of one model that search finds.

    `read` gives the rows of these records; a record without rows is not found. `check` goes by the records' own rights.
    `follows` maps a table's column, written "table.column", to lookup paths from this model to that column's value:
    when such a row changes, these records are indexed again. `kinds` maps the codes of kinds to their names, one and
    many.
    """

    code: str
    model: type[Model]
    kinds: Mapping[str, tuple[str, str]]
    read: Callable[[Collection[int]], Iterable[Row]]
    check: Check
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def following(self, column: str, values: Collection[int]) -> set[int]:
        """Ids of the records to index again because rows with these values in a column changed."""
        found: set[int] = set()
        for path in self.follows[column]:
            if path == "pk":
                found |= set(values)
            else:
                rows = self.model._base_manager.filter(**{f"{path}__in": list(values)})
                found |= set(rows.order_by().values_list("pk", flat=True))
        return found


def by_record(visible: Callable[..., QuerySet[Any, int]]) -> Check:
    """The check of entries by their records.

    `visible(user, ids)` gives the ids of those that the person may read.
    """

    def passed(found: Sequence[Found], rows: Collection[Any]) -> set[int]:
        readable = set(rows)
        return {entry.id for entry in found if entry.object_id in readable}

    return Check(visible, passed)


def readers_by_routes(
    model: type[Model], routes: Iterable[Route], ids: Collection[int]
) -> defaultdict[int, frozenset[int]]:
    """Everybody that these routes reach or may reach later, by id of the record.

    Organisations and people on the way count whatever the route asks of them: the check of each result asks again.
    """
    found: dict[int, set[int]] = {}
    rows = model._base_manager.filter(pk__in=list(ids)).order_by()
    for path, sign in {
        (other_route.path, -1 if isinstance(other_route, People) else 1)
        for other_route in routes
        if not isinstance(other_route, Network)
    }:
        named = rows.exclude(**{path: None}) if path else rows
        for pk, reader in named.values_list("pk", path or "pk").distinct():
            if reader is not None:
                found.setdefault(pk, set()).add(sign * reader)
    for route in routes:
        if isinstance(route, Network):
            for pk in rows.filter(route.when).values_list("pk", flat=True):
                found.setdefault(pk, set()).add(EVERYONE)
    return defaultdict(frozenset, {pk: frozenset(readers) for pk, readers in found.items()})
