"""Moving a watermark because its reader saw the changes on the site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from partnerships.activity.models import Change, Subject
from partnerships.activity.queries import visible_events
from partnerships.activity.telling import told_kinds
from partnerships.digests.models import SubjectWatermark, Watermark
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: Changes looked at after one visit; a page of a timeline shows fewer.
_MAX_PENDING = 500


def note_changes_seen(
    *, person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
) -> None:
    """Move a person's watermark of a subject, if nothing between was unseen.

    Somebody who last received version 2 and compares 3 with 4 has not seen what changed in 3. The numbers of a plan are
    its versions, those of other subjects their changes.
    """
    if to_number <= from_number:
        return
    if kind != "plan":
        _note_subject(person_id, kind, record_id, from_number, to_number, now)
        return
    own_watermarks = Watermark.objects.filter(recipient=person_id, plan=record_id).exclude(
        reading_class=Watermark.Reading.NONE
    )
    moved = own_watermarks.filter(number__gte=from_number, number__lt=to_number).update(number=to_number, told_at=now)
    if moved:  # should this fail, the next sweep clears what is due
        own_watermarks.filter(number__gte=F("plan__current_number")).update(
            due_at=None, waiting_since=None, slotted=False
        )


def note_events_seen(*, person_id: int, kind: str, record_id: int, events: Collection[int], now: dt.datetime) -> None:
    """Move a person's watermark of a subject past the events they were shown.

    It stops before the first change that they may see and that was not among these events. New versions of a plan have
    a watermark of their own.
    """
    watermark = next(iter(rows_for(_watermark, person_id, record_id, kind=kind)), None)
    if watermark is None or watermark.number >= watermark.subject.last_number:
        return
    changes = Change.objects.filter(subject=watermark.subject, number__gt=watermark.number)
    elsewhere = [told.kind for told in told_kinds() if told.by_plan_engine]
    pending = list(changes.order_by("number").values_list("number", "event_id")[:_MAX_PENDING])
    person = User.objects.get(pk=person_id)
    events_found = visible_events(person, Q(pk__in=[event for _, event in pending])).exclude(kind__in=elsewhere)
    visible = set(events_found.values_list("pk", flat=True))
    number, shown = watermark.number, set(events)
    for at, event in pending:
        if event in visible and event not in shown:
            break
        number = at
    _note_subject(person_id, kind, record_id, watermark.number, number, now)


def _watermark(person_id: int, record_id: int, *, kind: str) -> QuerySet[SubjectWatermark]:
    """How far the person has been told of a subject, with its newest number."""
    own_watermarks = SubjectWatermark.objects.filter(
        recipient=person_id, subject__kind=kind, subject__record_id=record_id
    )
    return own_watermarks.select_related("subject").order_by("pk")[:1]


def _note_subject(
    person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
) -> None:
    own_watermarks = SubjectWatermark.objects.filter(
        recipient=person_id, subject__kind=kind, subject__record_id=record_id
    )
    if to_number > from_number and own_watermarks.filter(number__gte=from_number, number__lt=to_number).update(
        number=to_number, told_at=now
    ):
        fully_told = Subject.objects.filter(pk=OuterRef("subject"), last_number__lte=OuterRef("number"))
        own_watermarks.filter(Exists(fully_told)).update(due_at=None, waiting_since=None, slotted=False)
