"""Queries of events, limited to records that the reader may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from partnerships.activity.event_kinds import label_of
from partnerships.activity.models import Change, Event, Subject
from partnerships.activity.registry import Records, kinds
from partnerships.activity.subjects import SubjectKind

#: Events read first when looking for the newest visible ones.
_FIRST_BATCH = 300


def visible_events(user: Any, here: Q) -> QuerySet[Event]:
    """Events of registered kinds whose record the person may see.

    `here` limits the events by an indexed condition: a record, a partnership, some numbers. They are found first, and
    only their records are checked.
    """
    found = Event.objects.filter(here)
    present = found.order_by().values_list("target_kind", flat=True).distinct()
    return _of_visible_records(
        user, found, {name: found.filter(target_kind=name).values("target_id") for name in present}
    )


def _of_visible_records(user: Any, found: QuerySet[Event], records: Mapping[str, Records]) -> QuerySet[Event]:
    """Those of the events whose record, by kind, the person may see."""
    seen = Q(pk__in=[])
    for kind in kinds():
        if kind.name in records:
            allowed = kind.visible_ids(user).filter(pk__in=records[kind.name])
            seen |= Q(target_kind=kind.name, target_id__in=allowed) & kind.condition(user, records[kind.name])
    return found.filter(seen)


def newest_visible(user: Any, candidates: QuerySet[Event], count: int) -> list[Event]:
    """The newest `count` of the candidates that the person may see.

    Checks the newest candidates, then four times as many, and so on: most people see much of what is new, so that only
    those who see little pay for reading everything.
    """
    newest = candidates.order_by("-at", "-id").values_list("pk", "target_kind", "target_id")
    seen: list[Event] = []
    start, size = 0, _FIRST_BATCH
    while len(seen) < count:
        batch = list(newest[start : start + size])
        records: defaultdict[str, set[int]] = defaultdict(set)
        for _, kind, record in batch:
            records[kind].add(record)
        found = Event.objects.filter(pk__in=[pk for pk, _, _ in batch])
        seen += _of_visible_records(user, found, records).order_by("-at", "-id")[: count - len(seen)]
        if len(batch) < size:
            break
        start, size = start + size, size * 4
    return seen


def timeline(*, user: Any, kind: str, record_id: int) -> QuerySet[Event]:
    """The events of a record and within it, newest first, that a reader sees."""
    here = Q(target_kind=kind, target_id=record_id) | Q(within_kind=kind, within_id=record_id)
    return visible_events(user, here).order_by("-at", "-id")


def acts_in(contexts: Collection[UUID]) -> Mapping[UUID, list[str]]:
    """Labels of events in these contexts of row history, by context.

    Labels hold no content of the partners.
    """
    acts: defaultdict[UUID, list[str]] = defaultdict(list)
    found = Event.objects.filter(context_id__in=contexts).order_by("pk")
    for context, kind, wording in found.values_list("context_id", "kind", "data__wording"):
        label = label_of(kind, wording)
        if context is not None and label not in acts[context]:
            acts[context].append(label)
    return acts


def changes_between(*, kind: SubjectKind, record_id: int, after: int, up_to: int) -> QuerySet[Change]:
    """The changes of a subject after one number and up to another, in order, with their events."""
    subject = Subject.objects.filter(kind=kind, record_id=record_id)
    found = Change.objects.filter(subject__in=subject, number__gt=after, number__lte=up_to)
    return found.select_related("event").order_by("number")


def last_number(*, kind: SubjectKind, record_id: int) -> int:
    """The number of a subject's newest change; 0 before the first."""
    return Subject.objects.filter(kind=kind, record_id=record_id).values_list("last_number", flat=True).first() or 0
