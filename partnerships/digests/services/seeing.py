"""Moving a watermark because its reader saw the changes on the site."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, F, OuterRef

from partnerships.activity.models import Subject
from partnerships.digests.models import SubjectWatermark, Watermark


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
    mine = Watermark.objects.filter(recipient=person_id, plan=record_id).exclude(reading_class=Watermark.Reading.NONE)
    moved = mine.filter(number__gte=from_number, number__lt=to_number).update(number=to_number, told_at=now)
    if moved:  # should this fail, the next sweep clears what is due
        mine.filter(number__gte=F("plan__current_number")).update(due_at=None, waiting_since=None, slotted=False)


def _note_subject(
    person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
) -> None:
    mine = SubjectWatermark.objects.filter(recipient=person_id, subject__kind=kind, subject__record_id=record_id)
    if mine.filter(number__gte=from_number, number__lt=to_number).update(number=to_number, told_at=now):
        told = Subject.objects.filter(pk=OuterRef("subject"), last_number__lte=OuterRef("number"))
        mine.filter(Exists(told)).update(due_at=None, waiting_since=None, slotted=False)
