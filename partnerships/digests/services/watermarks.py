"""Record which changes people have seen on the site, so that digests do not repeat these changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from partnerships.activity.follower_notices import notices_by_kind
from partnerships.activity.models import Change, Subject
from partnerships.activity.queries import visible_events
from partnerships.digests.models import SubjectWatermark, Watermark
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: The most changes that are considered after one visit; a page of a timeline shows fewer.
_MAX_PENDING = 500


def note_changes_seen(
    *, person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
) -> None:
    """Move a person's watermark to `to_number`, if they have seen everything up to that number.

    For example, a person who last received version 2 and compares versions 3 and 4 has not seen the changes of version
    3. For a plan the numbers are version numbers, for other subjects the numbers of changes.
    """
    if to_number <= from_number:
        return
    if kind != "plan":
        _move_subject_watermark(person_id, kind, record_id, from_number, to_number, now)
        return
    _move_plan_watermark(person_id, record_id, from_number, to_number, now)


def _move_plan_watermark(person_id: int, plan_id: int, from_number: int, to_number: int, now: dt.datetime) -> None:
    """Move the watermark of a plan if it is between the two versions.

    Once the watermark is at the newest version, nothing is due any more.
    """
    # Most visits move no watermark. Reading its number with a stored statement is quicker than composing an update.
    if not any(from_number <= number < to_number for number in rows_for(_plan_numbers, person_id, plan_id)):
        return
    own_watermarks = _plan_watermarks(person_id, plan_id)
    passed_watermarks = own_watermarks.filter(number__gte=from_number, number__lt=to_number)
    if passed_watermarks.update(number=to_number, told_at=now):
        # If this update fails, the next sweep repeats it.
        watermarks_at_newest = own_watermarks.filter(number__gte=F("plan__current_number"))
        watermarks_at_newest.update(due_at=None, waiting_since=None, slotted=False)


def _plan_watermarks(person_id: int, plan_id: int) -> QuerySet[Watermark]:
    """Return the person's watermarks of a plan that they can read."""
    own_watermarks = Watermark.objects.filter(recipient=person_id, plan=plan_id)
    return own_watermarks.exclude(reading_class=Watermark.Reading.NONE)


def _plan_numbers(person_id: int, plan_id: int) -> QuerySet[Watermark, int]:
    """Return the version numbers of the person's watermarks of a plan."""
    return _plan_watermarks(person_id, plan_id).values_list("number", flat=True)


def note_events_seen(
    *, person_id: int, kind: str, record_id: int, event_ids: Collection[int], now: dt.datetime
) -> None:
    """Move a person's watermark of a subject past the events that they have seen.

    The watermark stops before the first change that the person may see and that is not among these events. New versions
    of a plan are ignored, because they have another watermark.
    """
    watermarks = rows_for(_watermark, person_id, record_id, kind=kind)
    watermark = watermarks[0] if watermarks else None
    if watermark is None or watermark.number >= watermark.subject.last_number:
        return
    changes = Change.objects.filter(subject=watermark.subject, number__gt=watermark.number).order_by("number")
    event_by_number = dict(changes.values_list("number", "event_id")[:_MAX_PENDING])

    version_kinds = [told.kind for told in notices_by_kind() if told.is_in_plan_digests]
    person = User.objects.get(pk=person_id)
    visible_unseen = visible_events(person, Q(pk__in=event_by_number.values())).exclude(kind__in=version_kinds)
    unseen_ids = set(visible_unseen.values_list("pk", flat=True)).difference(event_ids)

    to_number = watermark.number
    for number, event_id in event_by_number.items():
        if event_id in unseen_ids:
            break
        to_number = number
    _move_subject_watermark(person_id, kind, record_id, watermark.number, to_number, now)


def _watermark(person_id: int, record_id: int, *, kind: str) -> QuerySet[SubjectWatermark]:
    """Return the person's watermark of a subject, fetched with the subject."""
    own_watermarks = SubjectWatermark.objects.filter(
        recipient=person_id, subject__kind=kind, subject__record_id=record_id
    )
    return own_watermarks.select_related("subject").order_by("pk")[:1]


def _move_subject_watermark(
    person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
) -> None:
    """Move the watermark of a subject if it is between the two numbers.

    Once the watermark is at the newest number, nothing is due any more.
    """
    if to_number <= from_number:
        return
    own_watermarks = SubjectWatermark.objects.filter(
        recipient=person_id, subject__kind=kind, subject__record_id=record_id
    )
    passed_watermarks = own_watermarks.filter(number__gte=from_number, number__lt=to_number)
    if passed_watermarks.update(number=to_number, told_at=now):
        subject_at_newest = Subject.objects.filter(pk=OuterRef("subject"), last_number__lte=OuterRef("number"))
        own_watermarks.filter(Exists(subject_at_newest)).update(due_at=None, waiting_since=None, slotted=False)
