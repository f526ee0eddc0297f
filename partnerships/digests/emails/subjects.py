"""Selects the changes of subjects that the digests of a batch report.

Rights are checked in the transaction that claims the emails. The digest leaves out changes that the reader may not
read, did not choose or has received before. The watermark moves past these, so that they do not delay later changes.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import QuerySet

from partnerships.activity.follower_notices import follower_notice_of
from partnerships.activity.models import Change, Event, Subject
from partnerships.digests.emails.already_told import emails_by_event, handovers_already_noticed
from partnerships.digests.emails.blocks import Block, render_section
from partnerships.digests.emails.changes import read_section
from partnerships.digests.models import ChangeFilter, SubjectFollowing
from partnerships.digests.queries.naming import open_by_id
from partnerships.digests.queries.visible_changes import (
    closed_plans,
    concerned_by,
    follows_of,
    open_subjects,
    open_to_stakeholders,
    own_organisations,
    visible_to_accounts,
)
from partnerships.kit.database import rows_planned_once
from partnerships.organisations.statements import Lookup, lookup, rows_for

#: How many rendered sections are cached, and for how long.
_MAX_SECTIONS = 256
_CACHED_FOR = dt.timedelta(minutes=10)

#: Why an email leaves a subject out; the ledger shows it after "left out because".
NOT_FOLLOWED, NOT_READABLE = "the recipient no longer followed it", "the recipient could no longer read it"


@dataclass(slots=True)
class SubjectItem:
    """A row of `DeliverySubject`, with the person who gets the digest.

    `select_subjects` sets `to_number` and `told`, the ids of the events that the digest reports.
    """

    pk: int
    delivery_id: int
    person_id: int
    subject_id: int
    from_number: int
    to_number: int
    told: list[int]


@dataclass(slots=True)
class SubjectSelection:
    """The subjects of a batch of digests, sorted by the outcome for each subject, and their rendered sections."""

    #: The sections of each digest, by the id of its email.
    blocks: dict[int, list[Block]] = field(default_factory=lambda: defaultdict(list))
    #: Subjects that their digest reports.
    included: list[SubjectItem] = field(default_factory=list)
    #: Included subjects whose stored row no longer matches the digest.
    changed: list[SubjectItem] = field(default_factory=list)
    #: Subjects without changes for the reader. The watermark moves, and the digest has no section.
    silent: list[SubjectItem] = field(default_factory=list)
    #: Subjects that the reader no longer follows or may no longer read, with the reason.
    lost: list[tuple[SubjectItem, str]] = field(default_factory=list)
    subjects: dict[int, Subject] = field(default_factory=dict)
    event_filter: EventFilter | None = None

    @property
    def altered(self) -> set[int]:
        """Return the ids of the digests that must not be sent again unchanged."""
        return {item.delivery_id for item in (*self.silent, *self.changed)} | {
            item.delivery_id for item, _ in self.lost
        }


class SectionKey(NamedTuple):
    """The cache key of a section, with every value that its text depends on."""

    subject_id: int
    event_ids: tuple[int, ...]
    is_for_stakeholder: bool


_section_cache: OrderedDict[SectionKey, tuple[dt.datetime, Block]] = OrderedDict()


def clear_cache() -> None:
    """Clear all rendered sections (for tests)."""
    _section_cache.clear()


def section_for(key: SectionKey, subject: Subject, events: Sequence[Event], now: dt.datetime) -> Block:
    """Return the rendered section for these events, from the cache if it is at most ten minutes old."""
    cached = _section_cache.get(key)
    if cached is not None:
        rendered_at, block = cached
        if now - rendered_at < _CACHED_FOR:
            return block

    section = read_section(subject, events, stakeholder=key.is_for_stakeholder, now=now)
    block = render_section(section, stakeholder=key.is_for_stakeholder)
    _section_cache[key] = (now, block)
    while len(_section_cache) > _MAX_SECTIONS:
        _section_cache.popitem(last=False)  # the oldest
    return block


@dataclass(slots=True)
class NumberedChanges:
    """Subjects, and the numbered changes of each subject in order."""

    subjects: dict[int, Subject]
    #: The number and the event of each change, by the id of the subject.
    changes_by_subject: dict[int, list[tuple[int, Event]]]

    def between(self, subject_id: int, after: int, up_to: int) -> list[Event]:
        """Return the events of a subject after one number and up to another, in order."""
        return [event for number, event in self.changes_by_subject.get(subject_id, ()) if after < number <= up_to]

    @property
    def events(self) -> dict[int, Event]:
        """Return every event, by id."""
        return {event.pk: event for changes in self.changes_by_subject.values() for _, event in changes}


def changes_after(spans: Iterable[tuple[int, int]]) -> NumberedChanges:
    """Return the changes of each subject after a number.

    Each span is the id of a subject and the number after which its changes begin. If a subject is in several spans, the
    lowest number is used.
    """
    lowest_by_subject: dict[int, int] = {}
    for subject_id, number in spans:
        lowest_by_subject[subject_id] = min(lowest_by_subject.get(subject_id, number), number)

    changes_by_subject: dict[int, list[tuple[int, Event]]] = defaultdict(list)
    for subject_id, number in lowest_by_subject.items():
        changes = Change.objects.filter(subject=subject_id, number__gt=number)
        changes_by_subject[subject_id] = [
            (change.number, change.event) for change in changes.select_related("event").order_by("number")
        ]
    return NumberedChanges(Subject.objects.in_bulk(lowest_by_subject), changes_by_subject)


def changes_since(person_id: int, since: dt.datetime) -> NumberedChanges:
    """Return the changes since a moment of the subjects that a person follows."""
    changes = NumberedChanges({}, {})
    for change in rows_for(_changes_since, person_id, since):
        changes.subjects[change.subject_id] = change.subject
        changes.changes_by_subject.setdefault(change.subject_id, []).append((change.number, change.event))
    return changes


def changes_since_lookup(person_id: int, since: dt.datetime) -> Lookup:
    """Return the lookup of a later `changes_since` with the same arguments, for `read_ahead`."""
    return lookup(_changes_since, person_id, since)


def _changes_since(person_id: int, since: dt.datetime) -> QuerySet[Change]:
    """Return the changes since a moment of the subjects that a person follows, by subject and number."""
    followed = SubjectFollowing.objects.filter(person=person_id).values("subject")
    changes = Change.objects.filter(subject__in=followed, event__at__gte=since)
    return changes.select_related("event", "subject").order_by("subject", "number")


class EventFilter:
    """Finds the events that each follower may be told about and has chosen.

    The constructor reads the rights of all followers in a few queries, because a batch of digests has many followers.
    `pairs` are the ids of followers and of subjects that they may follow. `hears` replaces every follower's choice.
    """

    def __init__(
        self,
        pairs: Collection[tuple[int, int]],
        events: dict[int, Event],
        stakeholders: Collection[int],
        now: dt.datetime,
        *,
        hears: str = "",
    ) -> None:
        self._hears = hears
        people = {person_id for person_id, _ in pairs}
        self._stakeholders = people & set(stakeholders)
        #: The subscriptions through which a person follows a subject, by both ids.
        self.follows_by_pair = follows_of(people, {subject_id for _, subject_id in pairs})
        all_follows = [row for follows in self.follows_by_pair.values() for row in follows]

        # Stakeholders may read what the organisation that added them may read, and only public kinds of event.
        stakeholder_follows = [row for row in all_follows if row.person_id in self._stakeholders]
        #: The ids of stakeholders' subscriptions to records that the organisation that added them may read.
        self.readable_subscription_ids = open_by_id({row.subscription_id for row in stakeholder_follows}, now)
        self._open_pairs = open_subjects(stakeholder_follows, self.readable_subscription_ids)
        self._public_event_ids = open_to_stakeholders(events.values()) if self._stakeholders else frozenset()
        self._closed_pairs = closed_plans(self._stakeholders, events.values(), now)

        # People with an account may read what timelines show them.
        self._visible_ids_by_person = visible_to_accounts(people - self._stakeholders, events)

        # Read only if a follower chose their own organisation's changes, because few people do.
        has_own_choice = any((hears or row.hears) == ChangeFilter.OWN for row in all_follows)
        self._organisations_by_person = own_organisations(people, all_follows) if has_own_choice else {}
        self._organisations_by_event = concerned_by(list(events.values())) if has_own_choice else {}

    def reason_to_omit(self, person_id: int, subject_id: int) -> str:
        """Return why a person can no longer be told about a subject; "" if they can."""
        if (person_id, subject_id) not in self.follows_by_pair:
            return NOT_FOLLOWED
        if person_id in self._stakeholders and (person_id, subject_id) not in self._open_pairs:
            return NOT_READABLE
        return ""

    def events_for(
        self, person_id: int, subject_id: int, events: Iterable[Event], *, ignore_choices: bool = False
    ) -> list[Event]:
        """Return the events of a subject that a follower may be told about and has chosen.

        With `ignore_choices` only rights are checked, because a digest that was composed before a choice changed must
        not change.
        """
        if self.reason_to_omit(person_id, subject_id):
            return []
        if person_id in self._stakeholders:
            allowed_ids = self._public_event_ids
        else:
            allowed_ids = self._visible_ids_by_person.get(person_id, frozenset())
        if ignore_choices:
            choices = {ChangeFilter.EVERYTHING.value}
        else:
            choices = {self._hears or row.hears for row in self.follows_by_pair[person_id, subject_id]}
        return [
            event
            for event in events
            if event.pk in allowed_ids
            and (person_id, event.pk) not in self._closed_pairs
            and self._is_chosen(person_id, event, choices)
        ]

    def _is_chosen(self, person_id: int, event: Event, choices: Collection[str]) -> bool:
        """Return True if a person with these choices wants this event; one choice that includes it is enough."""
        kind = follower_notice_of(event.kind)
        # New versions are events too, but the part of a digest about plans reports them.
        if kind is None or kind.is_in_plan_digests:
            return False
        if ChangeFilter.EVERYTHING in choices:
            return True
        if ChangeFilter.DATES_AND_MONEY in choices and kind.touches_dates_or_money:
            return True
        if ChangeFilter.OWN not in choices:
            return False
        return bool(self._organisations_by_person[person_id] & self._organisations_by_event[event.pk])


def select_subjects(
    items: Sequence[SubjectItem],
    *,
    stakeholder_ids: Collection[int],
    frozen_ids: Collection[int],
    repeat_ids: Collection[int],
    now: dt.datetime,
) -> SubjectSelection:
    """Decide which changes each subject's section reports, and set `to_number` and `told` of each item.

    `frozen_ids` are digests in doubt and repeats; they report nothing that they did not report the first time.
    `repeat_ids` are repeats, which may report what another email has reported.
    """
    selection = SubjectSelection()
    if not items:
        return selection
    changes = changes_after((item.subject_id, item.from_number) for item in items)
    selection.subjects = changes.subjects
    events = changes.events
    event_filter = EventFilter({(item.person_id, item.subject_id) for item in items}, events, stakeholder_ids, now)
    selection.event_filter = event_filter
    person_ids = {item.person_id for item in items}
    email_ids = emails_by_event(person_ids, list(events.values()))
    handovers = handovers_already_noticed(person_ids, events.values())

    # An event may be a change of several subjects; an email reports it only in the first section that can.
    reported_in_email: set[tuple[int, int]] = set()
    for item in sorted(items, key=lambda item: (item.delivery_id, item.pk)):
        reason = event_filter.reason_to_omit(item.person_id, item.subject_id)
        if reason:
            selection.lost.append((item, reason))
            continue

        is_frozen = item.delivery_id in frozen_ids
        subject = changes.subjects[item.subject_id]
        to_number = item.to_number if is_frozen else subject.last_number
        candidates = changes.between(item.subject_id, item.from_number, to_number)
        reported_events = event_filter.events_for(item.person_id, item.subject_id, candidates)
        if is_frozen:
            reported_events = [event for event in reported_events if event.pk in item.told]
        if item.delivery_id not in repeat_ids:
            reported_events = _new_to_reader(item, reported_events, email_ids, handovers)
        reported_events = [event for event in reported_events if (item.delivery_id, event.pk) not in reported_in_email]

        reported_ids = [event.pk for event in reported_events]
        is_changed = to_number != item.to_number or reported_ids != item.told
        item.to_number = to_number
        item.told = reported_ids
        key = SectionKey(item.subject_id, tuple(reported_ids), item.person_id in stakeholder_ids)
        block = section_for(key, subject, reported_events, now) if reported_events else None
        # Nobody gets a section in which every change is their own.
        if block is None or block.is_empty or block.authors == {item.person_id}:
            selection.silent.append(item)
            continue

        reported_in_email |= {(item.delivery_id, pk) for pk in reported_ids}
        selection.included.append(item)
        selection.blocks[item.delivery_id].append(block)
        if is_changed:
            selection.changed.append(item)
    return selection


def _new_to_reader(
    item: SubjectItem,
    events: Iterable[Event],
    email_ids: Mapping[tuple[int, int], set[int]],
    handovers: Collection[tuple[int, int]],
) -> list[Event]:
    """Return the events that no other email, and no notice of a succession, has told the reader about.

    `email_ids` and `handovers` are those of `emails_by_event` and `handovers_already_noticed`.
    """
    new_events: list[Event] = []
    for event in events:
        key = (item.person_id, event.pk)
        other_emails = email_ids.get(key, set()) - {item.delivery_id}
        if not other_emails and key not in handovers:
            new_events.append(event)
    return new_events


def emails_with_closed_events(contents: Sequence[tuple[int, int, int, Sequence[int]]], *, now: dt.datetime) -> set[int]:
    """Return the ids of emails that report an event which their reader may no longer read.

    Each of `contents` has four values: the ids of an email, of its reader and of a subject, and the ids of the events
    of that subject in the email.
    """
    if not contents:
        return set()
    events = Event.objects.in_bulk({event_id for *_, reported_ids in contents for event_id in reported_ids})
    people = {person_id for _, person_id, _, _ in contents}
    pairs = {(person_id, subject_id) for _, person_id, subject_id, _ in contents}
    event_filter = EventFilter(pairs, events, set(stakeholders_among(people)), now)

    closed_email_ids: set[int] = set()
    for email_id, person_id, subject_id, reported_ids in contents:
        reported_events = [events[pk] for pk in reported_ids if pk in events]
        allowed_events = event_filter.events_for(person_id, subject_id, reported_events, ignore_choices=True)
        if len(allowed_events) < len(reported_ids):
            closed_email_ids.add(email_id)
    return closed_email_ids


def stakeholders_among(person_ids: Collection[int]) -> list[int]:
    """Return the ids of the people among these who have no account."""
    rows = rows_planned_once(
        "SELECT id FROM people_user WHERE id = ANY(%s) AND account_since IS NULL",
        [sorted(person_ids)],
        generic_plan=True,
    )
    return [pk for (pk,) in rows]
