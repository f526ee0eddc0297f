"""Which kinds of record can be in the timeline, and who may see each: rooms register theirs at start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its name, and a function from a person to the ids of the records they may see."""

    name: str
    visible_ids: Callable[[Any], QuerySet[Any, Any]]


_kinds: dict[str, Kind] = {}


def register_kind(*, name: str, visible_ids: Callable[[Any], QuerySet[Any, Any]]) -> None:
    """Say who may see events about records of this kind: `visible_ids(user)` gives a queryset of ids."""
    _kinds[name] = Kind(name, visible_ids)


def kinds() -> tuple[Kind, ...]:
    """Every registered kind, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))
