"""The kinds of record that events are about, and who may see these events.

Each room registers its kinds at start-up.
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
    """A kind of record, and the rules about who may see events about such records."""

    #: The code of the kind, as in `Event.target_kind`.
    name: str
    #: Called with a person. Returns the ids of the records that the person may see.
    visible_ids: Callable[[Any], QuerySet[Any, Any]]
    #: Called with a person and some of these ids. Returns which events about these records the person may see. For
    #: example, people of a party that left see only the events up to that day.
    condition: Callable[[Any, Records], Q]
    #: The kind of record that people follow to be notified about such events.
    subject: SubjectKind | None = None
    #: The key in an event's data with the id of the record to follow, or "" if people follow the record itself. For
    #: example, events about a version of a plan have the id of the plan under the key "plan".
    subject_key: str = ""
    #: Returns the ids of the records about which stakeholders without an account may be notified.
    marked_ids: Callable[[], QuerySet[Any, Any]] | None = None


def _every_event(user: Any, records: Records) -> Q:
    """Return a condition that every event meets, for kinds of record that all their readers see in full."""
    return Q()


_kinds: dict[str, Kind] = {}


def register_kind(
    *,
    name: str,
    visible_ids: Callable[[Any], QuerySet[Any, Any]],
    condition: Callable[[Any, Records], Q] = _every_event,
    subject: SubjectKind | None = None,
    subject_key: str = "",
    marked_ids: Callable[[], QuerySet[Any, Any]] | None = None,
) -> None:
    """Register a kind of record and the rules about its events. The arguments are the fields of `Kind`.

    Without a `condition`, people who may see a record may see all events about it.
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
    """Return the kind with this name, or None if no room has registered it."""
    return _kinds.get(name)


def kinds() -> tuple[Kind, ...]:
    """Return all registered kinds, sorted by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))
