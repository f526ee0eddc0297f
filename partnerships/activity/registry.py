"""Kinds of record in timelines, and who may see each.

Rooms register theirs at start-up.
"""

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
    """A kind of record and who may see events about it.

    `visible_ids(person)` gives the ids of visible records. `condition(person, records)` limits the events of those
    records (ids) further: somebody who left sees what happened up to that day. `subject` is the kind of subject that
    such a record is or belongs to, `subject_key` the key in an event's data with its id where it is another record.
    `marked_ids()` gives the ids of records that stakeholders without an account may hear about.
    """

    name: str
    visible_ids: Callable[[Any], QuerySet[Any, Any]]
    condition: Callable[[Any, Records], Q]
    subject: SubjectKind | None = None
    subject_key: str = ""
    marked_ids: Callable[[], QuerySet[Any, Any]] | None = None


def _no_condition(user: Any, records: Records) -> Q:
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
    """Register who may see events about records of this kind.

    `visible_ids(user)` returns a queryset of ids; `condition(user, records)` is a further condition on the events of
    some records (ids). See `Kind` for the rest.
    """
    _kinds[name] = Kind(
        name=name,
        visible_ids=visible_ids,
        condition=condition,
        subject=subject,
        subject_key=subject_key,
        marked_ids=marked_ids,
    )


def kind_named(name: str) -> Kind | None:
    """The registered kind of this name."""
    return _kinds.get(name)


def kinds() -> tuple[Kind, ...]:
    """Every registered kind, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))
