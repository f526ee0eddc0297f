"""Kinds of record that events are about, and their readers. Each room registers its kinds at start-up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.activity.subjects import SubjectKind

#: Ids of records, or a query of them.
Records = Collection[int] | QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record, and the rules about who may see events about such records.

    * `visible_ids(person)` returns the ids of the records that the person may see.
    * `condition(person, records)` limits the events of these records (ids) further. For example, people of a party that
      left see only the events up to that day.
    * `subject` is the kind of record that people follow to be notified about such records: the record itself or, with a
      `subject_key`, the record whose id is under that key in the data of an event.
    * `marked_ids()` returns the ids of records about which stakeholders without an account may be notified.
    """

    name: str
    visible_ids: Callable[[Any], QuerySet[Any, Any]]
    condition: Callable[[Any, Records], Q]
    subject: SubjectKind | None = None
    subject_key: str = ""
    marked_ids: Callable[[], QuerySet[Any, Any]] | None = None


def _no_condition(user: Any, records: Records) -> Q:
    """Return no condition: the person may see every event about the records that they may see."""
    return Q()


_kinds: dict[str, Kind] = {}


def register_kind(
    *,
    name: str,
    visible_ids: Callable[[Any], QuerySet[Any, Any]],
    condition: Callable[[Any, Records], Q] = _no_condition,
    subject: SubjectKind | None = None,
    subject_key: str = "",
    marked_ids: Callable[[], QuerySet[Any, Any]] | None = None,
) -> None:
    """Register the rules about who may see events about records of this kind. `Kind` explains the arguments."""
    _kinds[name] = Kind(
        name=name,
        visible_ids=visible_ids,
        condition=condition,
        subject=subject,
        subject_key=subject_key,
        marked_ids=marked_ids,
    )


def kind_named(name: str) -> Kind | None:
    """Return the kind with this name, or None if no room has registered it."""
    return _kinds.get(name)


def kinds() -> tuple[Kind, ...]:
    """Return all registered kinds, sorted by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))
