"""Queries of events, limited to records that the reader may see."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from partnerships.activity.folding import STATUS, NetChange, Step, Thing, fold
from partnerships.activity.models import Change, Event, Subject
from partnerships.activity.registry import Records, kind_named, kinds
from partnerships.activity.subjects import SubjectKind
from partnerships.activity.telling import Told, phrase_of, told_of


def visible_events(user: Any, here: Q) -> QuerySet[Event]:
    """Events of registered kinds whose record the person may see.

    `here` limits the events by an indexed condition: a record, a partnership, some numbers. They are found first, and
    only their records are checked.
    """
    return visible_of_kinds(user, here, kinds_of(here))


def kinds_of(here: Q) -> QuerySet[Event, str]:
    """The kinds of record that these events are about."""
    return Event.objects.filter(here).order_by().values_list("target_kind", flat=True).distinct()


def visible_of_kinds(user: Any, here: Q, present: Iterable[str]) -> QuerySet[Event]:
    """Like `visible_events`, but only for the `present` kinds of record among them."""
    found = Event.objects.filter(here)
    records = {name: found.filter(target_kind=name).values("target_id") for name in present}
    return of_visible_records(user, found, records)


def of_visible_records(user: Any, found: QuerySet[Event], records: Mapping[str, Records]) -> QuerySet[Event]:
    """The events whose record, by kind, the person may see."""
    seen = Q(pk__in=[])
    for kind in kinds():
        if kind.name in records:
            allowed = kind.visible_ids(user).filter(pk__in=records[kind.name])
            seen |= Q(target_kind=kind.name, target_id__in=allowed) & kind.condition(user, records[kind.name])
    return found.filter(seen)


def about(kind: str, record_id: int) -> Q:
    """The condition on events of a record and within it."""
    return Q(target_kind=kind, target_id=record_id) | Q(within_kind=kind, within_id=record_id)


def timeline(*, user: Any, kind: str, record_id: int) -> QuerySet[Event]:
    """The events of a record and within it, newest first, that a reader sees."""
    return visible_events(user, about(kind, record_id)).order_by("-at", "-id")


def acts_in(contexts: Collection[UUID]) -> Mapping[UUID, list[str]]:
    """Labels of events in these contexts of row history, by context.

    Labels hold no content of the partners.
    """
    acts: defaultdict[UUID, list[str]] = defaultdict(list)
    events = Event.objects.filter(context_id__in=contexts).order_by("pk")
    for context, kind, wording in events.values_list("context_id", "kind", "data__wording"):
        label = phrase_of(kind, wording)
        if context is not None and label not in acts[context]:
            acts[context].append(label)
    return acts


def changes_between(*, kind: SubjectKind, record_id: int, after: int, up_to: int) -> QuerySet[Change]:
    """The changes of a subject after one number, up to another, with events."""
    subject = Subject.objects.filter(kind=kind, record_id=record_id)
    changes = Change.objects.filter(subject__in=subject, number__gt=after, number__lte=up_to)
    return changes.select_related("event").order_by("number")


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
            steps.append(
                Step(
                    number=number,
                    kind=event.kind,
                    thing=thing_of(event, told),
                    fold=told.fold,
                    before=before,
                    after=after,
                )
            )
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
    """Values before and after an event by field.

    A value without a field is the status.
    """
    return _by_field(data.get("before")), _by_field(data.get("after"))


def _by_field(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    return {} if value is None else {STATUS: value}


#: Every restore moves ids on by as much (kit.0002), and revisions by more than the changes that the backup lacks.
_IDS_OF_A_RESTORE = 10_000_000
_REVISIONS_OF_A_RESTORE = 1_000


@dataclass(frozen=True, slots=True)
class Revision:
    """How often a record changed after it was made, and when it last did.

    After a restore, the next change gets a much higher number: calendar programs ignore a lower one than they know.
    """

    number: int
    at: dt.datetime


def revisions_of(ids: Collection[int], *target_kinds: str, events: Collection[str] = ()) -> dict[int, Revision]:
    """The revision of each of these records, by id; one query.

    `target_kinds` are the kinds of record that the ids are of; `events` limits what counts as a change. A record
    without such an event has no revision.
    """
    events_about = Event.objects.filter(target_kind__in=target_kinds, target_id__in=ids)
    if events:
        events_about = events_about.filter(kind__in=events)
    counted = events_about.order_by().values_list("target_id").annotate(Count("pk"), Max("at"), Max("pk"))
    return {
        record: Revision(number - 1 + newest // _IDS_OF_A_RESTORE * _REVISIONS_OF_A_RESTORE, at)
        for record, number, at, newest in counted
    }
