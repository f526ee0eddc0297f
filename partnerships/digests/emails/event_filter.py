"""Decides which events of a subject a follower may be told about and has chosen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from partnerships.activity.follower_notices import follower_notice_of
from partnerships.activity.models import Event
from partnerships.digests.models import ChangeFilter
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

#: Why an email leaves a subject out; the ledger shows it after "left out because".
NOT_FOLLOWED, NOT_READABLE = "the recipient no longer followed it", "the recipient could no longer read it"


class FollowerAndSubject(NamedTuple):
    """A person, and a subject that the person may follow."""

    person_id: int
    subject_id: int


class ReportedEvents(NamedTuple):
    """The events of one subject that an email reports."""

    email_id: int
    person_id: int
    subject_id: int
    event_ids: Sequence[int]


class EventFilter:
    """Finds the events that each follower may be told about and has chosen.

    The rights of all followers are read at once, in a few queries, because a batch of digests has many followers.
    `hears` replaces every follower's choice of changes.
    """

    def __init__(
        self,
        pairs: Collection[FollowerAndSubject],
        events: dict[int, Event],
        stakeholder_ids: Collection[int],
        now: dt.datetime,
        *,
        hears: str = "",
    ) -> None:
        self._hears = hears
        people = {pair.person_id for pair in pairs}
        self._stakeholders = people & set(stakeholder_ids)
        #: The subscriptions through which a person follows a subject, by both ids.
        self.follows_by_pair = follows_of(people, {pair.subject_id for pair in pairs})
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
        if ignore_choices:
            choices = {ChangeFilter.EVERYTHING.value}
        else:
            choices = {self._hears or row.hears for row in self.follows_by_pair[person_id, subject_id]}
        return [
            event
            for event in events
            if self._may_be_told(person_id, event) and self._is_chosen(person_id, event, choices)
        ]

    def _may_be_told(self, person_id: int, event: Event) -> bool:
        """Return True if a follower has the right to be told about an event."""
        if person_id in self._stakeholders:
            return event.pk in self._public_event_ids and (person_id, event.pk) not in self._closed_pairs
        return event.pk in self._visible_ids_by_person.get(person_id, ())

    def _is_chosen(self, person_id: int, event: Event, choices: Collection[str]) -> bool:
        """Return True if at least one of a person's choices includes the event."""
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


def emails_with_closed_events(contents: Sequence[ReportedEvents], *, now: dt.datetime) -> set[int]:
    """Return the ids of emails that report an event which their reader may no longer read."""
    if not contents:
        return set()
    events = Event.objects.in_bulk({event_id for content in contents for event_id in content.event_ids})
    pairs = {FollowerAndSubject(content.person_id, content.subject_id) for content in contents}
    stakeholder_ids = stakeholders_among({content.person_id for content in contents})
    event_filter = EventFilter(pairs, events, stakeholder_ids, now)

    closed_email_ids: set[int] = set()
    for content in contents:
        reported_events = [events[pk] for pk in content.event_ids if pk in events]
        allowed_events = event_filter.events_for(
            content.person_id, content.subject_id, reported_events, ignore_choices=True
        )
        if len(allowed_events) < len(content.event_ids):
            closed_email_ids.add(content.email_id)
    return closed_email_ids


def stakeholders_among(person_ids: Collection[int]) -> list[int]:
    """Return the ids of the people among these who have no account."""
    rows = rows_planned_once(
        "SELECT id FROM people_user WHERE id = ANY(%s) AND account_since IS NULL",
        [sorted(person_ids)],
        generic_plan=True,
    )
    return [pk for (pk,) in rows]
