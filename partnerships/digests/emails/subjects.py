"""Decides which changes the digests of a batch tell.

By who may hear about each, and what they chose. Rights are checked in the transaction that claims the emails. A change
that somebody may not hear, did not choose or was told already holds nothing back: the watermark moves past it.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q

from partnerships.activity.models import Change, Event, Subject
from partnerships.activity.telling import told_of
from partnerships.digests.emails.changes import read_section
from partnerships.digests.emails.rendering import Block, render_section
from partnerships.digests.models import Hears, InboxItem, NoticeChoice, Way
from partnerships.digests.queries.hearing import (
    closed_plans,
    concerned_by,
    follows_of,
    open_subjects,
    open_to_stakeholders,
    own_organisations,
    visible_to_accounts,
)
from partnerships.digests.queries.naming import open_by_id
from partnerships.kit.database import rows_planned_once
from partnerships.organisations.event_kinds import EventKind as Organisations
from partnerships.outbox.groups import NoticeGroup

#: Sections kept in memory, and for how long.
_MAX_SECTIONS = 256
_KEPT_FOR = dt.timedelta(minutes=10)

#: Why a subject was left out of an email.
NOT_FOLLOWED, NOT_READABLE = "they no longer followed it", "they could no longer read it"


@dataclass(slots=True)
class SubjectItem:
    """One subject in a digest.

    Selecting sets `to_number` and the events `told`.
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
    """The subjects of a batch by what happens to them, with their sections."""

    blocks: dict[int, list[Block]] = field(default_factory=lambda: defaultdict(list))
    included: list[SubjectItem] = field(default_factory=list)
    changed: list[SubjectItem] = field(default_factory=list)
    silent: list[SubjectItem] = field(default_factory=list)
    lost: list[tuple[SubjectItem, str]] = field(default_factory=list)
    subjects: dict[int, Subject] = field(default_factory=dict)
    hearing: Hearing | None = None

    @property
    def altered(self) -> set[int]:
        """The digests that must not be sent again unchanged."""
        return {item.delivery_id for item in (*self.silent, *self.changed)} | {
            item.delivery_id for item, _ in self.lost
        }


class Key(NamedTuple):
    """What a section depends on."""

    subject_id: int
    events: tuple[int, ...]
    stakeholder: bool


_sections: OrderedDict[Key, tuple[dt.datetime, Block]] = OrderedDict()


def clear_cache() -> None:
    """Forget all rendered sections (for tests)."""
    _sections.clear()


def section_for(key: Key, subject: Subject, events: Sequence[Event], now: dt.datetime) -> Block:
    """The rendered section for these events, kept for ten minutes."""
    cached = _sections.get(key)
    if cached is not None and now - cached[0] < _KEPT_FOR:
        return cached[1]
    section = read_section(subject, events, stakeholder=key.stakeholder, now=now)
    rendered = render_section(section, stakeholder=key.stakeholder)
    _sections[key] = (now, rendered)
    while len(_sections) > _MAX_SECTIONS:
        _sections.popitem(last=False)
    return rendered


@dataclass(slots=True)
class Ranges:
    """The changes between the numbers of some items, by subject."""

    subjects: dict[int, Subject]
    changes: dict[int, list[tuple[int, Event]]]

    def between(self, subject: int, after: int, up_to: int) -> list[Event]:
        """The events of a subject after one number and up to another, in order."""
        return [event for number, event in self.changes.get(subject, ()) if after < number <= up_to]

    @property
    def events(self) -> dict[int, Event]:
        """Every event, by id."""
        return {event.pk: event for subject_changes in self.changes.values() for _, event in subject_changes}


def ranges_of(spans: Iterable[tuple[int, int]]) -> Ranges:
    """The changes of each subject after the lowest of its numbers."""
    lowest: dict[int, int] = {}
    for subject, number in spans:
        lowest[subject] = min(lowest.get(subject, number), number)
    numbered_events: dict[int, list[tuple[int, Event]]] = defaultdict(list)
    for subject, number in lowest.items():
        rows = Change.objects.filter(subject=subject, number__gt=number).select_related("event").order_by("number")
        numbered_events[subject] = [(row.number, row.event) for row in rows]
    return Ranges(Subject.objects.in_bulk(lowest), numbered_events)


class Hearing:
    """Which of these events each follower may hear about, and chose to."""

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
        people = {person for person, _ in pairs}
        self.followed = follows_of(people, {subject for _, subject in pairs})
        everything = [row for follows in self.followed.values() for row in follows]
        self._stakeholders = people & set(stakeholders)
        of_stakeholders = [row for row in everything if row.person_id in self._stakeholders]
        self.askable = open_by_id({row.subscription_id for row in of_stakeholders}, now)
        self._open = open_subjects(of_stakeholders, self.askable)
        self._public = open_to_stakeholders(events.values()) if self._stakeholders else frozenset()
        self._closed = closed_plans(self._stakeholders, events.values(), now)
        self._seen = visible_to_accounts(people - self._stakeholders, events)
        chooses_own = any((hears or row.hears) == Hears.OWN for row in everything)
        self._own = own_organisations(people, everything) if chooses_own else {}
        self._concerned = concerned_by(list(events.values())) if chooses_own else {}

    def why_not(self, person: int, subject: int) -> str:
        """Why a person can no longer be told about a subject; empty if they can."""
        if (person, subject) not in self.followed:
            return NOT_FOLLOWED
        if person in self._stakeholders and (person, subject) not in self._open:
            return NOT_READABLE
        return ""

    def told(
        self, person: int, subject: int, events: Iterable[Event], *, whatever_was_chosen: bool = False
    ) -> list[Event]:
        """The events of a subject that this follower may hear about and has chosen."""
        if self.why_not(person, subject):
            return []
        allowed = self._public if person in self._stakeholders else self._seen.get(person, frozenset())
        choices = {self._hears or row.hears for row in self.followed[person, subject]}
        if whatever_was_chosen:
            choices = {Hears.EVERYTHING.value}
        return [
            event
            for event in events
            if event.pk in allowed
            and (person, event.pk) not in self._closed
            and self._is_chosen(person, event, choices)
        ]

    def _is_chosen(self, person: int, event: Event, choices: Collection[str]) -> bool:
        kind = told_of(event.kind)
        if kind is None or kind.by_plan_engine:
            return False
        if Hears.EVERYTHING in choices:
            return True
        if Hears.DATES_AND_MONEY in choices and kind.touches_dates_or_money:
            return True
        return Hears.OWN in choices and bool(self._own[person] & self._concerned[event.pk])


# What sent emails told these people of events that are changes of other subjects too.
_TOLD = """
SELECT e.person_id, i.delivery_id, unnest(i.told)
  FROM outbox_email e
  JOIN digests_deliverysubject i ON i.delivery_id = e.id AND i.left_out = '' AND i.told && %(events)s::bigint[]
 WHERE e.person_id = ANY(%(people)s) AND e.status = 'sent'
   AND NOT EXISTS (SELECT 1 FROM outbox_bounce b WHERE b.email_id = e.id)
"""


def told_before(people: Collection[int], events: Collection[Event]) -> dict[tuple[int, int], set[int]]:
    """The emails that told a person about an event already: {(person, event): emails}.

    Only events of several subjects can be told twice.
    """
    several = [event.pk for event in events if len(event.subjects) > 1]
    told_events: dict[tuple[int, int], set[int]] = defaultdict(set)
    if several and people:
        values = {"events": several, "people": sorted(people)}
        for person, delivery, event in rows_planned_once(_TOLD, values, generic_plan=True):
            told_events[person, event].add(delivery)
    return told_events


def told_of_succession(people: Collection[int], events: Iterable[Event]) -> set[tuple[int, int]]:
    """Pairs of person and event.

    What a succession passed on, where an email or summary of its own said so. A notice that stays in the inbox, because
    its person chose that, has said nothing until it is read. What passed on later, such as once a consent was recorded,
    was not in it.
    """
    passed = {event: event.data.get("succession") for event in events if event.kind == Organisations.PASSED_ON}
    numbers = set(passed.values()) - {None}
    if not numbers:
        return set()
    told_of = reduce(or_, (Q(params__also__contains=number) for number in numbers), Q(params__succession__in=numbers))
    items = InboxItem.objects.filter(told_of, person__in=people, kind="organisations.handed_over")
    inbox_only = NoticeChoice.objects.filter(person__in=people, group=NoticeGroup.PARTNERSHIPS, way=Way.INBOX)
    unsaid = ~Q(left_out="") | Q(told_at=None, person__in=inbox_only.values("person"))
    told_acts = {
        (person, number, at)
        for person, params, at in items.exclude(unsaid, read_at=None).values_list("person", "params", "created_at")
        for number in (params["succession"], *params.get("also", ()))
    }
    return {
        (person, event.pk)
        for event, number in passed.items()
        for person, organisation, at in told_acts
        if organisation == number and event.at <= at
    }


def select_subjects(
    items: Sequence[SubjectItem],
    *,
    stakeholders: Collection[int],
    frozen: Collection[int],
    repeats: Collection[int],
    now: dt.datetime,
) -> SubjectSelection:
    """Decide what each subject's section tells, if anything.

    `frozen` are the digests in doubt and those sent again: they tell nothing that they did not tell before. `repeats`
    may tell what another email has told.
    """
    result = SubjectSelection()
    if not items:
        return result
    ranges = ranges_of((item.subject_id, item.from_number) for item in items)
    result.subjects = ranges.subjects
    events = ranges.events
    hearing = Hearing({(item.person_id, item.subject_id) for item in items}, events, stakeholders, now)
    result.hearing = hearing
    before = told_before({item.person_id for item in items}, list(events.values()))
    emailed = told_of_succession({item.person_id for item in items}, events.values())
    said_before: set[tuple[int, int]] = set()  # an event that is a change of several subjects comes once in an email
    for item in sorted(items, key=lambda item: (item.delivery_id, item.pk)):
        why = hearing.why_not(item.person_id, item.subject_id)
        if why:
            result.lost.append((item, why))
            continue
        is_frozen = item.delivery_id in frozen
        subject = ranges.subjects[item.subject_id]
        to_number = item.to_number if is_frozen else subject.last_number
        between = ranges.between(item.subject_id, item.from_number, to_number)
        told = hearing.told(item.person_id, item.subject_id, between)
        if is_frozen:
            told = [event for event in told if event.pk in item.told]
        if item.delivery_id not in repeats:
            told = [event for event in told if not before.get((item.person_id, event.pk), set()) - {item.delivery_id}]
            told = [event for event in told if (item.person_id, event.pk) not in emailed]
        told = [event for event in told if (item.delivery_id, event.pk) not in said_before]
        changed = to_number != item.to_number or [event.pk for event in told] != item.told
        item.to_number, item.told = to_number, [event.pk for event in told]
        key = Key(item.subject_id, tuple(item.told), item.person_id in stakeholders)
        rendered = section_for(key, subject, told, now) if told else None
        if rendered is None or rendered.is_empty or rendered.authors == {item.person_id}:
            result.silent.append(item)
            continue
        said_before |= {(item.delivery_id, pk) for pk in item.told}
        result.included.append(item)
        result.blocks[item.delivery_id].append(rendered)
        if changed:
            result.changed.append(item)
    return result


def heard_no_longer(contents: Sequence[tuple[int, int, int, Sequence[int]]], *, now: dt.datetime) -> set[int]:
    """The emails that tell of something their reader may no longer hear.

    `contents` holds an email, its reader, a subject in it and the events told.
    """
    if not contents:
        return set()
    all_events = {event for *_, told in contents for event in told}
    events = Event.objects.in_bulk(all_events)
    people = {person for _, person, _, _ in contents}
    stakeholders = set(stakeholders_among(people))
    hearing = Hearing({(person, subject) for _, person, subject, _ in contents}, events, stakeholders, now)
    return {
        email
        for email, person, subject, told in contents
        if len(hearing.told(person, subject, [events[pk] for pk in told if pk in events], whatever_was_chosen=True))
        < len(told)
    }


def stakeholders_among(people: Collection[int]) -> list[int]:
    """The people, of these, who have no account."""
    rows = rows_planned_once(
        "SELECT id FROM people_user WHERE id = ANY(%s) AND account_since IS NULL",
        [sorted(people)],
        generic_plan=True,
    )
    return [pk for (pk,) in rows]
