"""Kinds of record in timelines, and who may see each.

Rooms register theirs at start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record and who may see events about it.

    `visible_ids(person)` gives the ids of visible records. `condition(person)` limits the events further: somebody who
    left sees what happened up to that day.
    """

    name: str
    visible_ids: Callable[[Any], QuerySet[Any, Any]]
    condition: Callable[[Any], Q]


def _no_condition(user: Any) -> Q:
    return Q()


_kinds: dict[str, Kind] = {}


def register_kind(
    *,
    name: str,
    visible_ids: Callable[[Any], QuerySet[Any, Any]],
    condition: Callable[[Any], Q] = _no_condition,
) -> None:
    """Register who may see events about records of this kind.

    `visible_ids(user)` returns a queryset of ids; `condition(user)` is a further condition on the events.
    """
    _kinds[name] = Kind(name, visible_ids, condition)


def kinds() -> tuple[Kind, ...]:
    """Every registered kind, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))
