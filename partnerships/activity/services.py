"""Record events in the activity log, and exports to files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Required, TypedDict, Unpack

from django.db.models import TextChoices

from partnerships.activity.event_kinds import check_registered
from partnerships.activity.follower_notices import follower_notice_of
from partnerships.activity.models import Event, Export
from partnerships.activity.registry import kind_named
from partnerships.activity.subjects import SubjectKind

#: The key in an event's data with the id of the spreadsheet from which the event came.
SPREADSHEET = "spreadsheet"
_spreadsheet_id: ContextVar[int | None] = ContextVar("spreadsheet", default=None)


@contextmanager
def recording_from_spreadsheet(spreadsheet_id: int) -> Iterator[None]:
    """Mark the events recorded in this context as those of one spreadsheet, so that digests report them in one line."""
    token = _spreadsheet_id.set(spreadsheet_id)
    try:
        yield
    finally:
        _spreadsheet_id.reset(token)


class EventDetails(TypedDict, total=False):
    """The person, the action, the record and the time of an event."""

    #: The person who acted, or None for the system.
    actor_id: Required[int | None]
    #: The organisation for which the person acted.
    organisation_id: int | None
    kind: Required[TextChoices]
    target_kind: Required[str]
    target_id: Required[int]
    #: The record that the target belongs to, usually a partnership.
    within_kind: str
    within_id: int | None
    now: Required[dt.datetime]
    #: `before`, `after` and, if given, `reason`: JSON values only, no restricted text.
    data: dict[str, Any] | None
    #: Other subjects whose followers are notified too.
    also: Iterable[tuple[SubjectKind, int]]


def record(**details: Unpack[EventDetails]) -> Event:
    """Record an event, inside the transaction of the change that it describes.

    If followers are notified of this kind of event, the event becomes the next change of each subject concerned. These
    are the subject of the target, the subject of the record in `within_kind` and `within_id`, and those in `also`. For
    example, an event about a commitment within a partnership is a change of both. The database numbers the changes
    when the transaction commits. Raises `UnknownEventKind` if no room has registered `kind`.
    """
    event = new_event(**details)
    event.save(force_insert=True)
    return event


def record_all(events: Iterable[Event]) -> None:
    """Record many events, made by `new_event`, with one statement for each thousand."""
    Event.objects.bulk_create(events, batch_size=1000)


def new_event(**details: Unpack[EventDetails]) -> Event:
    """Return an unsaved event, which `record_all` saves together with others.

    Raises `UnknownEventKind` if no room has registered `kind`.
    """
    kind = details["kind"].value
    check_registered(kind)
    data = details.get("data") or {}
    spreadsheet_id = _spreadsheet_id.get()
    if spreadsheet_id is not None:
        data = {**data, SPREADSHEET: spreadsheet_id}

    target_kind, target_id = details["target_kind"], details["target_id"]
    within_kind, within_id = details.get("within_kind", ""), details.get("within_id")
    notice = follower_notice_of(kind)
    subjects: set[tuple[SubjectKind, int]] = set()
    if notice is not None:
        subjects.update(details.get("also", ()))
        subjects.update(_subjects_of(target_kind, target_id, data))
        subjects.update(_subjects_of(within_kind, within_id, data))

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
        audience=notice.audience if notice else "",
        subjects=[f"{subject_kind.value}:{record_id}" for subject_kind, record_id in sorted(subjects)],
    )


def _subjects_of(kind_name: str, record_id: int | None, data: dict[str, Any]) -> Iterator[tuple[SubjectKind, int]]:
    """Yield the subject that a record is or belongs to, or nothing if people cannot follow this kind of record."""
    kind = kind_named(kind_name)
    if kind is None or kind.subject is None:
        return
    subject_id = data.get(kind.subject_key) if kind.subject_key else record_id
    if subject_id is not None:
        yield kind.subject, subject_id


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
    """Record that a person has exported a file. `Export` explains the arguments."""
    return Export.objects.create(
        actor_id=actor_id,
        seen_as_id=seen_as_id,
        what=what,
        record_id=record_id,
        asked=asked[:1000],
        rows=rows,
        at=now,
    )
