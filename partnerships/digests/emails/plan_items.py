"""Reads the plans in claimed digests, and records which plans each digest reports."""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.emails.selecting import Item, Selection
from partnerships.digests.models import DeliveryItem, Following
from partnerships.kit.database import rows_of, rows_planned_once

#: Moves watermarks forward, never back. Locks them in the order of ids, so that two senders cannot deadlock.
_MOVE_WATERMARKS = """
UPDATE digests_watermark t SET number = GREATEST(t.number, c.number), told_at = clock_timestamp()
  FROM (SELECT t.id, x.number
          FROM unnest(%(people)s::bigint[], %(plans)s::bigint[], %(numbers)s::int[]) AS x(person, plan, number)
          JOIN digests_watermark t ON t.recipient_id = x.person AND t.plan_id = x.plan
         ORDER BY t.recipient_id, t.plan_id FOR UPDATE OF t) c
 WHERE t.id = c.id
"""

#: Fixes the version and the class of readers of each item, so that a repeat of the email has the same content.
_FIX_ITEMS = """
UPDATE digests_deliveryitem i SET to_number = c.to_number, reading_class = c.reading_class
  FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(classes)s::text[]) AS c(id, to_number, reading_class)
 WHERE i.id = c.id
"""


def items_of(candidates: Sequence[Candidate]) -> list[Item]:
    """Return the plans in these digests, in the order in which they were chosen.

    Plans that were left out when the digest was composed before are not among them.
    """
    person_by_email = {candidate.pk: candidate.person_id for candidate in candidates}
    rows = rows_planned_once(
        "SELECT id, delivery_id, plan_id, from_number, to_number, reading_class FROM digests_deliveryitem"
        " WHERE delivery_id = ANY(%s) AND left_out = '' ORDER BY delivery_id, id",
        [list(person_by_email)],
        generic_plan=True,
    )
    return [
        Item(
            pk=pk,
            delivery_id=delivery,
            person_id=person_by_email[delivery],
            plan_id=plan,
            from_number=from_number,
            to_number=to_number,
            reading_class=reading_class,
        )
        for pk, delivery, plan, from_number, to_number, reading_class in rows
    ]


def write_items(selected: Selection) -> None:
    """Record which plans the digests report, and why other plans are left out.

    Watermarks also move past versions that change nothing for the reader, so that these never delay later versions.
    """
    if selected.silent:
        rows_of(
            _MOVE_WATERMARKS,
            {
                "people": [item.person_id for item in selected.silent],
                "plans": [item.plan_id for item in selected.silent],
                "numbers": [item.to_number for item in selected.silent],
            },
        )
        DeliveryItem.objects.filter(pk__in=[item.pk for item in selected.silent]).delete()
    if selected.lost:
        _record_lost(selected.lost)
    if selected.changed:
        rows_of(
            _FIX_ITEMS,
            {
                "ids": [item.pk for item in selected.changed],
                "numbers": [item.to_number for item in selected.changed],
                "classes": [item.reading_class for item in selected.changed],
            },
        )


def _record_lost(items: Sequence[Item]) -> None:
    """Record in the ledger why plans are left out.

    Their watermarks do not move. A reader who later follows or may read the plan again gets the changes made meanwhile.
    """
    followed_pairs = set(
        Following.objects.filter(
            person__in=[item.person_id for item in items], plan__in=[item.plan_id for item in items]
        ).values_list("person_id", "plan_id")
    )
    unreadable_ids = [item.pk for item in items if (item.person_id, item.plan_id) in followed_pairs]
    unfollowed_ids = [item.pk for item in items if (item.person_id, item.plan_id) not in followed_pairs]
    if unreadable_ids:
        DeliveryItem.objects.filter(pk__in=unreadable_ids).update(left_out="the recipient could no longer read it")
    if unfollowed_ids:
        DeliveryItem.objects.filter(pk__in=unfollowed_ids).update(left_out="the recipient no longer followed it")
