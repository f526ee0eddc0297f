"""Reads the subjects in claimed digests, and records which of their changes each digest reports."""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.digests.emails.event_filter import NOT_READABLE
from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.emails.subjects import SubjectItem, SubjectSelection
from partnerships.digests.models import DeliverySubject
from partnerships.kit.database import rows_of, rows_planned_once

_ITEMS = """
SELECT id, delivery_id, subject_id, from_number, to_number, told FROM digests_deliverysubject
 WHERE delivery_id = ANY(%s) AND left_out = '' ORDER BY delivery_id, id
"""

# Finds watermarks by recipient, because a subject may have very many followers: `+ 0` prevents the use of the index of
# subjects. LATERAL looks up each watermark by itself, even while the table's statistics still say that it is empty.
_MOVE_WATERMARKS = """
UPDATE digests_subjectwatermark t SET number = GREATEST(t.number, c.number), told_at = clock_timestamp()
  FROM (SELECT found.id, x.number
          FROM (SELECT * FROM unnest(%(people)s::bigint[], %(subjects)s::bigint[], %(numbers)s::int[])
                    AS one(person, subject, number) ORDER BY person, subject) x
         CROSS JOIN LATERAL (
               SELECT w.id FROM digests_subjectwatermark w
                WHERE w.recipient_id = x.person AND w.subject_id + 0 = x.subject FOR UPDATE) found) c
 WHERE t.id = c.id
"""

# The ids of each subject's events are passed as text, because PostgreSQL has no arrays of arrays of different lengths.
_FIX_SUBJECTS = """
UPDATE digests_deliverysubject i SET to_number = c.to_number, told = c.told::bigint[]
  FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(told)s::text[]) AS c(id, to_number, told)
 WHERE i.id = c.id
"""


def subject_items_of(candidates: Sequence[Candidate]) -> list[SubjectItem]:
    """Return the subjects in these digests, in the order in which they were chosen.

    Subjects that were left out when the digest was composed before are not among them.
    """
    person_by_email = {candidate.pk: candidate.person_id for candidate in candidates}
    rows = rows_planned_once(_ITEMS, [list(person_by_email)], generic_plan=True)
    return [
        SubjectItem(
            pk=pk,
            delivery_id=delivery,
            person_id=person_by_email[delivery],
            subject_id=subject,
            from_number=from_number,
            to_number=to_number,
            event_ids=event_ids,
        )
        for pk, delivery, subject, from_number, to_number, event_ids in rows
    ]


def write_subjects(selected: SubjectSelection) -> None:
    """Record which subjects the digests report, and move watermarks past changes that no digest will report.

    Watermarks also move past changes that the person may not read, because gaining access later is not a change. They
    do not move if the person does not follow the subject at the moment, because the person may only have paused it.
    """
    items_to_move = [*selected.silent, *(lost.item for lost in selected.lost if lost.reason == NOT_READABLE)]
    if items_to_move:
        rows_of(
            _MOVE_WATERMARKS,
            {
                "people": [item.person_id for item in items_to_move],
                "subjects": [item.subject_id for item in items_to_move],
                "numbers": [item.to_number for item in items_to_move],
            },
        )
    if selected.silent:
        DeliverySubject.objects.filter(pk__in=[item.pk for item in selected.silent]).delete()
    for reason in {lost.reason for lost in selected.lost}:
        lost_ids = [lost.item.pk for lost in selected.lost if lost.reason == reason]
        DeliverySubject.objects.filter(pk__in=lost_ids).update(left_out=reason)
    if selected.changed:
        rows_of(
            _FIX_SUBJECTS,
            {
                "ids": [item.pk for item in selected.changed],
                "numbers": [item.to_number for item in selected.changed],
                "told": [f"{{{','.join(map(str, item.event_ids))}}}" for item in selected.changed],
            },
        )
