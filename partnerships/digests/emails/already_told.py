"""Finds the events about which readers of digests have heard from other emails or notices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Q

from partnerships.activity.models import Event
from partnerships.digests.models import InboxItem, NoticeChoice, NoticeDelivery
from partnerships.kit.database import rows_planned_once
from partnerships.organisations.event_kinds import EventKind as Organisations
from partnerships.outbox.groups import NoticeGroup

#: Selects the emails, sent and not bounced, that told these people about these events.
_TOLD = """
SELECT e.person_id, i.delivery_id, unnest(i.told)
  FROM outbox_email e
  JOIN digests_deliverysubject i ON i.delivery_id = e.id AND i.left_out = '' AND i.told && %(events)s::bigint[]
 WHERE e.person_id = ANY(%(people)s) AND e.status = 'sent'
   AND NOT EXISTS (SELECT 1 FROM outbox_bounce b WHERE b.email_id = e.id)
"""


def emails_by_event(person_ids: Collection[int], events: Collection[Event]) -> dict[tuple[int, int], set[int]]:
    """Return the ids of the emails that told a person about an event, by the ids of the person and the event.

    Events of a single subject are not looked up. The watermark of the subject has moved past the event, so no other
    digest can repeat it.
    """
    shared_event_ids = [event.pk for event in events if len(event.subjects) > 1]
    ids_by_person_and_event: dict[tuple[int, int], set[int]] = defaultdict(set)
    if shared_event_ids and person_ids:
        params = {"events": shared_event_ids, "people": sorted(person_ids)}
        for person_id, email_id, event_id in rows_planned_once(_TOLD, params, generic_plan=True):
            ids_by_person_and_event[person_id, event_id].add(email_id)
    return ids_by_person_and_event


def handovers_already_noticed(person_ids: Collection[int], events: Iterable[Event]) -> set[tuple[int, int]]:
    """Return the handovers about which a notice of a succession has told the person, as pairs (person id, event id).

    If the person gets such notices only in the inbox, the notice must have been read. A notice does not contain records
    that were handed over after it was made, for example once a consent was recorded.
    """
    succession_by_event = {
        event: event.data.get("succession") for event in events if event.kind == Organisations.PASSED_ON
    }
    succession_ids = set(succession_by_event.values()) - {None}
    if not succession_ids:
        return set()

    # One notice is about all successions of an order. The first is in `succession`, and the others are in `also`.
    in_notice = Q(params__succession__in=succession_ids)
    for succession_id in succession_ids:
        in_notice |= Q(params__also__contains=succession_id)
    notices = InboxItem.objects.filter(in_notice, person__in=person_ids, kind="organisations.handed_over")
    inbox_only = NoticeChoice.objects.filter(
        person__in=person_ids, group=NoticeGroup.PARTNERSHIPS, way=NoticeDelivery.INBOX
    )
    is_not_emailed = ~Q(left_out="") | Q(told_at=None, person__in=inbox_only.values("person"))
    told_notices = notices.exclude(is_not_emailed, read_at=None)

    handovers: set[tuple[int, int]] = set()
    for person_id, params, noted_at in told_notices.values_list("person", "params", "created_at"):
        told_succession_ids = {params["succession"], *params.get("also", ())}
        handovers |= {
            (person_id, event.pk)
            for event, succession_id in succession_by_event.items()
            if succession_id in told_succession_ids and event.at <= noted_at
        }
    return handovers
