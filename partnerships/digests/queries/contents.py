"""Finds the plans that a digest is about, because its reader can answer about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from partnerships.activity.models import Event
from partnerships.activity.subjects import SubjectKind
from partnerships.digests.models import DeliveryItem, DeliverySubject
from partnerships.organisations.statements import lookup, read_ahead, rows_for
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
    read_ahead([lookup(_plan_ids_of_items, delivery_id), lookup(_told_subjects, delivery_id)])
    records: set[tuple[str, int]] = {
        (SubjectKind.PLAN, plan_id) for plan_id in rows_for(_plan_ids_of_items, delivery_id)
    }
    event_ids: set[int] = set()
    for kind, record_id, told_ids in rows_for(_told_subjects, delivery_id):
        records.add((kind, record_id))
        event_ids.update(told_ids)
    # The events that the digest told may be within a plan that is not itself a subject of the digest.
    events = Event.objects.filter(pk__in=event_ids, within_kind=SubjectKind.PLAN)
    for plan_id in events.values_list("within_id", flat=True):
        if plan_id is not None:
            records.add((SubjectKind.PLAN, plan_id))
    return published_plans(records)


def _plan_ids_of_items(delivery_id: int) -> QuerySet[DeliveryItem, int]:
    """Return the ids of the plans whose new versions a digest reports."""
    return DeliveryItem.objects.included().filter(delivery=delivery_id).values_list("plan", flat=True)


def _told_subjects(delivery_id: int) -> QuerySet[DeliverySubject, tuple[str, int, list[int]]]:
    """Return the kind and id of each record whose events a digest reports, and the ids of these events."""
    subjects = DeliverySubject.objects.included().filter(delivery=delivery_id).exclude(told=[])
    return subjects.values_list("subject__kind", "subject__record_id", "told")
