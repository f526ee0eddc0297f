"""Queries of events, limited to records that the reader may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from partnerships.activity.folding import STATUS, NetChange, Step, Thing, fold
from partnerships.activity.models import Change, Event, Subject
from partnerships.activity.registry import Records, kind_named, kinds
from partnerships.activity.subjects import SubjectKind
from partnerships.activity.telling import Told, phrase_of, told_of

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
        label = phrase_of(kind, wording)
        if context is not None and label not in acts[context]:
            acts[context].append(label)
    return acts


def changes_between(*, kind: SubjectKind, record_id: int, after: int, up_to: int) -> QuerySet[Change]:
    """The changes of a subject after one number, up to another, with events."""
    subject = Subject.objects.filter(kind=kind, record_id=record_id)
    found = Change.objects.filter(subject__in=subject, number__gt=after, number__lte=up_to)
    return found.select_related("event").order_by("number")


def last_number(*, kind: SubjectKind, record_id: int) -> int:
    """The number of a subject's newest change; 0 before the first."""
    return Subject.objects.filter(kind=kind, record_id=record_id).values_list("last_number", flat=True).first() or 0


@dataclass(frozen=True, slots=True)
class NetLine:
    """A net change, how it is told, and the events it sums up, in order."""

    change: NetChange
    told: Told
    events: tuple[Event, ...]

    @property
    def event(self) -> Event:
        """The newest of its events."""
        return self.events[-1]


def net_changes(changes: Iterable[tuple[int, Event]]) -> list[NetLine]:
    """The net changes of these events, given in order with their numbers.

    Events of kinds that are not told are left out; the caller checks what a reader may hear.
    """
    events: dict[int, Event] = {}
    steps: list[Step] = []
    for number, event in changes:
        told = told_of(event.kind)
        if told is not None:
            events[number] = event
            before, after = fields_of(event.data)
            steps.append(Step(number, event.kind, thing_of(event, told), told.fold, before, after))
    lines = []
    for change in fold(steps):
        told = told_of(change.kind)
        if told is not None:
            lines.append(NetLine(change, told, tuple(events[number] for number in change.numbers)))
    return lines


def thing_of(event: Event, told: Told) -> Thing:
    """What the event is about: its record, and which of several things there."""
    kind = kind_named(event.target_kind)
    name = kind.subject.value if kind and kind.subject and not kind.subject_key else event.target_kind
    if not told.about:
        return name, event.target_id, ""
    about = event.data.get(told.about)
    # An old event does not say which, so it is a thing of its own.
    return name, event.target_id, f"{told.about} {about}" if about is not None else f"event {event.pk}"


def fields_of(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values before and after an event by field; a value without a field is the status."""
    return _by_field(data.get("before")), _by_field(data.get("after"))


def _by_field(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    return {} if value is None else {STATUS: value}
