"""Finds the plans that a digest is about, because its reader can answer about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from partnerships.activity.models import Event
from partnerships.activity.subjects import SubjectKind
from partnerships.digests.models import DeliveryItem, DeliverySubject
from partnerships.plans.models import Plan


def published_plans(records: Iterable[tuple[str, int]]) -> QuerySet[Plan]:
    """Return the published plans among these records (kind, id), and those of the partnerships among the records."""
    ids_by_kind: dict[str, set[int]] = defaultdict(set)
    for kind, pk in records:
        ids_by_kind[kind].add(pk)
    is_among_records = Q(pk__in=ids_by_kind[SubjectKind.PLAN]) | Q(partnership__in=ids_by_kind[SubjectKind.PARTNERSHIP])
    return Plan.objects.filter(is_among_records, current_number__gt=0)


def plans_of_digest(delivery_id: int) -> QuerySet[Plan]:
    """Return the published plans that a digest is about.

    A digest is about a plan if it reports a new version, a question or another change of the plan, or a change of the
    plan's partnership.
    """
    items = DeliveryItem.objects.included().filter(delivery=delivery_id).values_list("plan", flat=True)
    subjects = DeliverySubject.objects.included().filter(delivery=delivery_id).exclude(told=[])
    records: set[tuple[str, int]] = {(SubjectKind.PLAN, plan_id) for plan_id in items}
    event_ids: set[int] = set()
    for kind, record_id, told_ids in subjects.values_list("subject__kind", "subject__record_id", "told"):
        records.add((kind, record_id))
        event_ids.update(told_ids)
    # The events that the digest told may be within a plan that is not itself a subject of the digest.
    events = Event.objects.filter(pk__in=event_ids, within_kind=SubjectKind.PLAN)
    for plan_id in events.values_list("within_id", flat=True):
        if plan_id is not None:
            records.add((SubjectKind.PLAN, plan_id))
    return published_plans(records)
