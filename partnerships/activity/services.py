"""Recording events and exports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

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


def record(
    *,
    actor_id: int | None,
    organisation_id: int | None = None,
    kind: TextChoices,
    target_kind: str,
    target_id: int,
    within_kind: str = "",
    within_id: int | None = None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
    also: Iterable[tuple[SubjectKind, int]] = (),
) -> Event:
    """Record that `actor_id`, for `organisation_id`, changed a record.

    `data` has `before`, `after` and, if given, `reason`: JSON values only, no restricted text. Call inside the
    transaction of the change. Raises `UnknownEventKind` if no room has registered `kind`.

    If followers are told of this kind, the event becomes the next change of the target's subject, of the subject it is
    within, and of the subjects in `also`. The database numbers it when the transaction commits.
    """
    event = new_event(
        actor_id=actor_id,
        organisation_id=organisation_id,
        kind=kind,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within_kind,
        within_id=within_id,
        now=now,
        data=data,
        also=also,
    )
    event.save(force_insert=True)
    return event


def record_all(events: Iterable[Event]) -> None:
    """Record many events, each made by `new_event`; as `record` does, in few statements."""
    Event.objects.bulk_create(events, batch_size=1000)


def new_event(
    *,
    actor_id: int | None,
    organisation_id: int | None = None,
    kind: TextChoices,
    target_kind: str,
    target_id: int,
    within_kind: str = "",
    within_id: int | None = None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
    also: Iterable[tuple[SubjectKind, int]] = (),
) -> Event:
    """An event for `record_all`; see `record`."""
    check_registered(kind.value)
    data = data or {}
    if (number := _spreadsheet.get()) is not None:
        data = {**data, SPREADSHEET: number}
    told = told_of(kind.value)
    subjects: set[tuple[SubjectKind, int]] = set()
    if told is not None:
        subjects.update(also)
        subjects.update(_subjects(target_kind, target_id, data))
        subjects.update(_subjects(within_kind, within_id, data))
    return Event(
        actor_id=actor_id,
        organisation_id=organisation_id,
        kind=kind.value,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within_kind,
        within_id=within_id,
        at=now,
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
