"""Kinds of record in timelines, and who may see each.

Rooms register theirs at start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

#: Ids of records, or a query of them.
Records = Collection[int] | QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record and who may see events about it.

    `visible_ids(person)` gives the ids of visible records. `condition(person, records)` limits the events of those
    records (ids) further: somebody who left sees what happened up to that day.
    """

    name: str
    visible_ids: Callable[[Any], QuerySet[Any, Any]]
    condition: Callable[[Any, Records], Q]


def _no_condition(user: Any, records: Records) -> Q:
    return Q()


_kinds: dict[str, Kind] = {}


def register_kind(
    *,
    name: str,
    visible_ids: Callable[[Any], QuerySet[Any, Any]],
    condition: Callable[[Any, Records], Q] = _no_condition,
) -> None:
    """Register who may see events about records of this kind.

    `visible_ids(user)` returns a queryset of ids; `condition(user, records)` is a further condition on the events of
    some records (ids).
    """
    _kinds[name] = Kind(name, visible_ids, condition)


def kinds() -> tuple[Kind, ...]:
    """Every registered kind, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))
