"""Recording events and exports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Required, TypedDict, Unpack

from django.db.models import TextChoices

from partnerships.activity.event_kinds import check_registered
from partnerships.activity.models import Event, Export
from partnerships.activity.registry import kind_named
from partnerships.activity.subjects import SubjectKind
from partnerships.activity.telling import told_of

#: The key in an event's data with the number of the spreadsheet that it came from.
SPREADSHEET = "spreadsheet"
_spreadsheet: ContextVar[int | None] = ContextVar("spreadsheet", default=None)


@contextmanager
def from_spreadsheet(number: int) -> Iterator[None]:
    """Mark events recorded inside as one spreadsheet's, so that digests show them in one line."""
    before = _spreadsheet.set(number)
    try:
        yield
    finally:
        _spreadsheet.reset(before)


class EventDetails(TypedDict, total=False):
    """What an event says, and about which record."""

    #: The person; None for the system.
    actor_id: Required[int | None]
    #: The organisation for which they act.
    organisation_id: int | None
    kind: Required[TextChoices]
    target_kind: Required[str]
    target_id: Required[int]
    #: The record that the target is a part of.
    within_kind: str
    within_id: int | None
    now: Required[dt.datetime]
    #: `before`, `after` and, if given, `reason`: JSON values only, no restricted text.
    data: dict[str, Any] | None
    #: Further subjects whose followers are told.
    also: Iterable[tuple[SubjectKind, int]]


def record(**details: Unpack[EventDetails]) -> Event:
    """Record that somebody changed a record. Call inside the transaction of the change.

    If followers are told of this kind, the event becomes the next change of the target's subject, of the subject it is
    within, and of the subjects in `also`. The database numbers it when the transaction commits. Raises
    `UnknownEventKind` if no room has registered `kind`.
    """
    event = new_event(**details)
    event.save(force_insert=True)
    return event


def record_all(events: Iterable[Event]) -> None:
    """Record many events, each made by `new_event`; as `record` does, in few statements."""
    Event.objects.bulk_create(events, batch_size=1000)


def new_event(**details: Unpack[EventDetails]) -> Event:
    """An event for `record_all`; see `record`."""
    kind, data = details["kind"].value, details.get("data") or {}
    check_registered(kind)
    if (number := _spreadsheet.get()) is not None:
        data = {**data, SPREADSHEET: number}
    target_kind, target_id = details["target_kind"], details["target_id"]
    within_kind, within_id = details.get("within_kind", ""), details.get("within_id")
    told = told_of(kind)
    subjects: set[tuple[SubjectKind, int]] = set()
    if told is not None:
        subjects.update(details.get("also", ()))
        subjects.update(_subjects(target_kind, target_id, data))
        subjects.update(_subjects(within_kind, within_id, data))
    return Event(
        actor_id=details["actor_id"],
        organisation_id=details.get("organisation_id"),
        kind=kind,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within_kind,
        within_id=within_id,
        at=details["now"],
        data=data,
        audience=told.may_hear if told else "",
        subjects=[f"{subject.value}:{number}" for subject, number in sorted(subjects)],
    )


def _subjects(name: str, number: int | None, data: dict[str, Any]) -> Iterator[tuple[SubjectKind, int]]:
    """The subject that a record of this kind is or belongs to."""
    kind = kind_named(name)
    if kind is not None and kind.subject is not None:
        found = data.get(kind.subject_key) if kind.subject_key else number
        if found is not None:
            yield kind.subject, found


def record_export(
    *,
    actor_id: int | None,
    seen_as_id: int | None = None,
    what: str,
    record_id: int | None,
    rows: int | None,
    now: dt.datetime,
    asked: str = "",
) -> Export:
    """Record an export of `what` by `actor_id`.

    Rows None is a document, and `asked` says which rows of a list.
    """
    return Export.objects.create(
        actor_id=actor_id, seen_as_id=seen_as_id, what=what, record_id=record_id, asked=asked[:1000], rows=rows, at=now
    )
