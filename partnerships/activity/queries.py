"""Find the events that a reader may see, the changes of subjects, and the revisions of records."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from partnerships.activity.folding import STATUS, NetChange, Step, Target, fold_steps
from partnerships.activity.follower_notices import FollowerNotice, follower_notice_of, phrase_of
from partnerships.activity.models import Change, Event, Subject
from partnerships.activity.registry import Records, kind_named, kinds
from partnerships.activity.subjects import SubjectKind


def visible_events(user: Any, here: Q) -> QuerySet[Event]:
    """Return the events that match a condition and whose record the person may see.

    `here` is a condition with an index, for example on a record or a partnership. The database finds the events by this
    condition first, so that only the records of these few events are checked. Events about kinds of record that no room
    has registered are left out.
    """
    return visible_events_of_kinds(user, here, kinds_of_records(here))


def kinds_of_records(here: Q) -> QuerySet[Event, str]:
    """Return the kinds of record that the events matching a condition are about."""
    return Event.objects.filter(here).order_by().values_list("target_kind", flat=True).distinct()


def visible_events_of_kinds(user: Any, here: Q, kind_names: Iterable[str]) -> QuerySet[Event]:
    """Return the events that match a condition, are about these kinds of record, and may be seen by the person."""
    events = Event.objects.filter(here)
    records_by_kind = {name: events.filter(target_kind=name).values("target_id") for name in kind_names}
    return events_of_visible_records(user, events, records_by_kind)


def events_of_visible_records(
    user: Any, events: QuerySet[Event], records_by_kind: Mapping[str, Records]
) -> QuerySet[Event]:
    """Return the events about these records that the person may see. `records_by_kind` has the records' ids."""
    is_visible = Q(pk__in=[])  # matches no event; each kind adds its own
    for kind in kinds():
        if kind.name in records_by_kind:
            records = records_by_kind[kind.name]
            visible_ids = kind.visible_ids(user).filter(pk__in=records)
            is_visible |= Q(target_kind=kind.name, target_id__in=visible_ids) & kind.condition(user, records)
    return events.filter(is_visible)


def is_about_record(kind: str, record_id: int) -> Q:
    """Return the condition for events of a record and of the records that belong to it."""
    return Q(target_kind=kind, target_id=record_id) | Q(within_kind=kind, within_id=record_id)


def timeline(*, user: Any, kind: str, record_id: int) -> QuerySet[Event]:
    """Return the events of a record, and of the records that belong to it, that a reader may see, newest first."""
    return visible_events(user, is_about_record(kind, record_id)).order_by("-at", "-id")


def event_labels_in(contexts: Collection[UUID]) -> Mapping[UUID, list[str]]:
    """Return the labels of the events in each of these contexts of the row history.

    Administrators may read labels, because labels contain nothing that partners wrote.
    """
    labels_by_context: defaultdict[UUID, list[str]] = defaultdict(list)
    events = Event.objects.filter(context_id__in=contexts).order_by("pk")
    for context_id, kind, wording in events.values_list("context_id", "kind", "data__wording"):
        label = phrase_of(kind, wording)
        if context_id is not None and label not in labels_by_context[context_id]:
            labels_by_context[context_id].append(label)
    return labels_by_context


def changes_between(*, kind: SubjectKind, record_id: int, after: int, up_to: int) -> QuerySet[Change]:
    """Return the changes of a subject with numbers above `after` and up to `up_to`, with their events, in order."""
    subject = Subject.objects.filter(kind=kind, record_id=record_id)
    changes = Change.objects.filter(subject__in=subject, number__gt=after, number__lte=up_to)
    return changes.select_related("event").order_by("number")


def newest_change_number(*, kind: SubjectKind, record_id: int) -> int:
    """Return the number of a subject's newest change, or 0 before the first change."""
    return Subject.objects.filter(kind=kind, record_id=record_id).values_list("last_number", flat=True).first() or 0


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """A net change, the way in which followers are notified of it, and the events that it sums up, in order."""

    change: NetChange
    notice: FollowerNotice
    events: tuple[Event, ...]

    @property
    def event(self) -> Event:
        """Return the newest event of the line."""
        return self.events[-1]


def net_changes(changes: Iterable[tuple[int, Event]]) -> list[ReportedChange]:
    """Return the net changes of these events, which must come in the order of their numbers.

    Events that followers are not notified about are left out. The caller checks which events the reader may see.
    """
    event_by_number: dict[int, Event] = {}
    steps: list[Step] = []
    for number, event in changes:
        notice = follower_notice_of(event.kind)
        if notice is None:
            continue
        event_by_number[number] = event
        before, after = values_before_and_after(event.data)
        steps.append(
            Step(
                number=number,
                kind=event.kind,
                target=target_of_event(event, notice),
                fold=notice.fold,
                before=before,
                after=after,
            )
        )

    reported_changes = []
    for change in fold_steps(steps):
        notice = follower_notice_of(change.kind)
        if notice is not None:
            events = tuple(event_by_number[number] for number in change.numbers)
            reported_changes.append(ReportedChange(change=change, notice=notice, events=events))
    return reported_changes


def target_of_event(event: Event, notice: FollowerNotice) -> Target:
    """Return the record that the event is about, and the part of the record if the notice distinguishes parts.

    For example, an event about one party of partnership 1 returns `("partnership", 1, "party 7")`.
    """
    kind = kind_named(event.target_kind)
    kind_name = event.target_kind
    if kind is not None and kind.subject is not None and not kind.subject_key:
        kind_name = kind.subject.value
    if not notice.subject_key:
        return kind_name, event.target_id, ""
    part_id = event.data.get(notice.subject_key)
    if part_id is None:
        # An old event does not name the part that changed, so it is not folded with any other event.
        return kind_name, event.target_id, f"event {event.pk}"
    return kind_name, event.target_id, f"{notice.subject_key} {part_id}"


def values_before_and_after(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values before and after an event, by field. A value without a field is the status."""
    return _by_field(data.get("before")), _by_field(data.get("after"))


def _by_field(value: Any) -> dict[str, Any]:
    """Return the values by field, or the value as that of the status."""
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    return {STATUS: value}


#: Every restore of a backup raises new ids by this number (kit.0002).
_IDS_PER_RESTORE = 10_000_000
#: Each restore raises revisions by this number, which is more than the number of changes that a backup can lack.
_REVISIONS_PER_RESTORE = 1_000


@dataclass(frozen=True, slots=True)
class Revision:
    """The number of changes of a record since it was created, and the time of the last change.

    Calendar apps ignore a number lower than the last that they read, and a restored backup lacks the latest changes. So
    the first change after a restore gets a much higher number.
    """

    number: int
    at: dt.datetime


def revisions_of(ids: Collection[int], *target_kinds: str, events: Collection[str] = ()) -> dict[int, Revision]:
    """Return the revision of each of these records, by id, in one query.

    `target_kinds` are the kinds of record to which the ids belong. With `events`, only those kinds of event are
    counted. A record without such an event has no revision.
    """
    counted_events = Event.objects.filter(target_kind__in=target_kinds, target_id__in=ids)
    if events:
        counted_events = counted_events.filter(kind__in=events)
    # `order_by()` removes any order, which would become a part of the grouping.
    events_by_record = counted_events.order_by().values("target_id")
    totals = events_by_record.annotate(count=Count("pk"), last_at=Max("at"), newest_id=Max("pk"))
    return {row["target_id"]: _revision(row["count"], row["newest_id"], row["last_at"]) for row in totals}


def _revision(event_count: int, newest_event_id: int, changed_at: dt.datetime) -> Revision:
    """Return the revision of a record with this many events."""
    restore_count = newest_event_id // _IDS_PER_RESTORE
    # The first event created the record, so it is no change.
    change_count = event_count - 1
    return Revision(number=change_count + restore_count * _REVISIONS_PER_RESTORE, at=changed_at)
