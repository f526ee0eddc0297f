"""Which kinds of record can be in the timeline, and who may see each: rooms register theirs at start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its name, a function from a person to the ids of the records they may see, and what else holds.

    `condition(person)` narrows to events, where seeing the record is not enough: somebody who left sees what
    happened up to that day.
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
    """Say who may see events about records of this kind.

    `visible_ids(user)` gives a queryset of ids; `condition(user)` a further condition on the events themselves.
    """
    _kinds[name] = Kind(name, visible_ids, condition)


def kinds() -> tuple[Kind, ...]:
    """Every registered kind, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))
