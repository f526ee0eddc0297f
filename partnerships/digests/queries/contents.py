"""Finds the plans that a digest is about, because its reader can answer about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

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
    rows = list(subjects.values_list("subject__kind", "subject__record_id", "told"))
    events = Event.objects.filter(pk__in=set(chain.from_iterable(told_ids for *_, told_ids in rows)))
    plan_ids = events.filter(within_kind=SubjectKind.PLAN, within_id__isnull=False).values_list("within_id", flat=True)
    plans = {*items, *(pk for pk in plan_ids if pk is not None)}
    return published_plans({*((kind, pk) for kind, pk, _ in rows), *((SubjectKind.PLAN, pk) for pk in plans)})
