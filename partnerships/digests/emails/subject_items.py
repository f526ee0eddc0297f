"""Reads the subjects in claimed digests, and records which changes of them each digest tells."""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.emails.subjects import NOT_READABLE, SubjectItem, SubjectSelection
from partnerships.digests.models import DeliverySubject
from partnerships.kit.database import rows_of, rows_planned_once

_ITEMS = """
SELECT id, delivery_id, subject_id, from_number, to_number, told FROM digests_deliverysubject
 WHERE delivery_id = ANY(%s) AND left_out = '' ORDER BY delivery_id, id
"""

# Found by recipient, because a subject may have very many followers: `+ 0` rules out the index of subjects. LATERAL
# looks each up by itself, also where the statistics still say that the table is empty.
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

# The events of each come as text, because PostgreSQL has no arrays of arrays of different lengths.
_FIX_SUBJECTS = """
UPDATE digests_deliverysubject i SET to_number = c.to_number, told = c.told::bigint[]
  FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(told)s::text[]) AS c(id, to_number, told)
 WHERE i.id = c.id
"""


def subject_items_of(candidates: Sequence[Candidate]) -> list[SubjectItem]:
    """Return the subjects in these digests, except those left out before, in the order in which they were chosen."""
    person_of = {candidate.pk: candidate.person_id for candidate in candidates}
    rows = rows_planned_once(_ITEMS, [list(person_of)], generic_plan=True)
    return [
        SubjectItem(
            pk=pk,
            delivery_id=delivery,
            person_id=person_of[delivery],
            subject_id=subject,
            from_number=from_number,
            to_number=to_number,
            told=told_numbers,
        )
        for pk, delivery, subject, from_number, to_number, told_numbers in rows
    ]


def write_subjects(selected: SubjectSelection) -> None:
    """Record what the digests tell about subjects, and move watermarks past changes that no digest will tell.

    These are also changes that the person may not read, because gaining access later is not a change. If they do not
    follow the subject at the moment, the watermark stays, because they may only have paused it.
    """
    passed = [*selected.silent, *(item for item, why in selected.lost if why == NOT_READABLE)]
    if passed:
        rows_of(
            _MOVE_WATERMARKS,
            {
                "people": [item.person_id for item in passed],
                "subjects": [item.subject_id for item in passed],
                "numbers": [item.to_number for item in passed],
            },
        )
    if selected.silent:
        DeliverySubject.objects.filter(pk__in=[item.pk for item in selected.silent]).delete()
    for why in {why for _, why in selected.lost}:
        lost = [item.pk for item, reason in selected.lost if reason == why]
        DeliverySubject.objects.filter(pk__in=lost).update(left_out=why)
    if selected.changed:
        rows_of(
            _FIX_SUBJECTS,
            {
                "ids": [item.pk for item in selected.changed],
                "numbers": [item.to_number for item in selected.changed],
                "told": [f"{{{','.join(map(str, item.told))}}}" for item in selected.changed],
            },
        )
