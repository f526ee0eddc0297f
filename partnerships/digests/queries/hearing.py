"""Which events each follower may be told about.

People with an account are asked through `activity.registry`; a stakeholder hears what docs/rights.md says.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Q

from partnerships.activity.models import Event, Subject
from partnerships.activity.queries import visible_events
from partnerships.activity.registry import kind_named
from partnerships.activity.subjects import Audience, SubjectKind
from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Facilitator
from partnerships.digests.queries.readers import reading_classes
from partnerships.exchange.models import Entry
from partnerships.kit.database import rows_planned_once
from partnerships.organisations.models import Membership
from partnerships.people.models import User


def visible_to_accounts(people: Collection[int], events: Collection[int]) -> dict[int, frozenset[int]]:
    """The events that each of these people with an account may see.

    Rights follow from the organisations that a person acts for, and from the roles, so one query answers for all people
    with the same organisations and roles. Facilitators and administrators have rights of their own: one query for each.
    """
    if not people or not events:
        return {}
    roles: dict[int, set[tuple[int, str]]] = defaultdict(set)
    current = Membership.objects.current().filter(person__in=people)
    for person, organisation, role in current.values_list("person_id", "organisation_id", "role"):
        roles[person].add((organisation, role))
    facilitators = set(Facilitator.objects.filter(person__in=people).values_list("person_id", flat=True))
    people_by_rights: dict[object, list[User]] = defaultdict(list)
    for user in User.objects.filter(pk__in=people, is_active=True).order_by("pk"):
        rights = user.pk if user.pk in facilitators or user.is_staff else frozenset(roles[user.pk])
        people_by_rights[rights].append(user)
    readers: dict[int, frozenset[int]] = {}
    for people_alike in people_by_rights.values():
        visible = frozenset(visible_events(people_alike[0], Q(pk__in=list(events))).values_list("pk", flat=True))
        readers |= dict.fromkeys((user.pk for user in people_alike), visible)
    return readers


class Follows(NamedTuple):
    """One row of the view `SubjectFollowing`; a batch of emails reads many."""

    person_id: int
    subject_id: int
    subscription_id: int
    added_for_id: int | None
    frequency: str
    hears: str
    rank: int


_FOLLOWS = """
SELECT person_id, subject_id, subscription_id, added_for_id, frequency, hears, rank
  FROM digests_subjectfollowing WHERE person_id = ANY(%s) AND subject_id = ANY(%s)
 ORDER BY rank, subscription_id
"""


def follows_of(people: Collection[int], subjects: Collection[int]) -> dict[tuple[int, int], list[Follows]]:
    """Subscriptions through which these people follow these subjects, by person and subject; closest first."""
    follows_by_person: dict[tuple[int, int], list[Follows]] = defaultdict(list)
    for row in rows_planned_once(_FOLLOWS, [sorted(people), sorted(subjects)], generic_plan=True):
        follows = Follows(*row)
        follows_by_person[follows.person_id, follows.subject_id].append(follows)
    return follows_by_person


def open_subjects(followed: Collection[Follows], askable: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of a stakeholder and a subject that the stakeholder may still be told about through a subscription.

    `askable`: subscriptions to what the organisation that added them may read. Following an organisation includes the
    partnerships where that organisation takes part, or that the whole network may see.
    """
    through = {row.subject_id for row in followed if row.subscription_id in askable and row.rank > 1}
    record_of = dict(Subject.objects.filter(pk__in=through).values_list("pk", "record_id")) if through else {}
    records = set(record_of.values())
    if not records:
        return {(row.person_id, row.subject_id) for row in followed if row.subscription_id in askable and row.rank == 1}
    network = set(
        Partnership.objects.filter(pk__in=records, audience=PartnershipAudience.NETWORK).values_list("pk", flat=True)
    )
    parties = set(Party.objects.present().filter(partnership__in=records).values_list("partnership", "organisation"))
    return {
        (row.person_id, row.subject_id)
        for row in followed
        if row.subscription_id in askable
        and (
            row.rank == 1
            or record_of[row.subject_id] in network
            or (record_of[row.subject_id], row.added_for_id) in parties
        )
    }


def open_to_stakeholders(events: Iterable[Event]) -> frozenset[int]:
    """The events that stakeholders without an account may be told about.

    Events about a commitment, ask, offer or meeting are among them only while a party's lead has marked it.
    """
    open_ids: set[int] = set()
    to_be_marked: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.audience == Audience.OUTSIDE:
            open_ids.add(event.pk)
        elif event.audience == Audience.MARKED:
            to_be_marked[event.target_kind].append(event)
    for kind, of_kind in to_be_marked.items():
        marked = _marked_among(kind, {event.target_id for event in of_kind})
        open_ids.update(event.pk for event in of_kind if event.target_id in marked)
    return frozenset(open_ids)


def _marked_among(kind_name: str, records: Collection[int]) -> set[int]:
    """The ids of those of these records that are marked for stakeholders; none of a kind without marks."""
    kind = kind_named(kind_name)
    if kind is None or kind.marked_ids is None:
        return set()
    return {row["pk"] if isinstance(row, dict) else row for row in kind.marked_ids().filter(pk__in=records)}


def closed_plans(stakeholders: Collection[int], events: Iterable[Event], now: dt.datetime) -> set[tuple[int, int]]:
    """Pairs of a stakeholder and an event within a plan that the stakeholder may not read."""
    within = {event.pk: event.within_id for event in events if event.within_kind == SubjectKind.PLAN}
    plans = {plan for plan in within.values() if plan is not None}
    if not stakeholders or not plans:
        return set()
    readable = reading_classes(sorted(plans), now=now, people=sorted(stakeholders))
    return {
        (stakeholder, event)
        for stakeholder in stakeholders
        for event, plan in within.items()
        if (stakeholder, plan) not in readable
    }


def own_organisations(people: Collection[int], followed: Iterable[Follows]) -> dict[int, set[int]]:
    """The organisations that each person acts for, or that added them."""
    organisations: dict[int, set[int]] = defaultdict(set)
    current = Membership.objects.current().filter(person__in=people)
    for person, organisation in current.values_list("person_id", "organisation_id"):
        organisations[person].add(organisation)
    for row in followed:
        if row.added_for_id is not None:
            organisations[row.person_id].add(row.added_for_id)
    return organisations


def concerned_by(events: Sequence[Event]) -> dict[int, set[int]]:
    """The organisations that each event concerns: its actor and sides."""
    concerned: dict[int, set[int]] = {event.pk: set() for event in events}
    for event in events:
        if event.organisation_id is not None:
            concerned[event.pk].add(event.organisation_id)
        for subject in event.subjects:
            kind, _, record = subject.partition(":")
            if kind == SubjectKind.ORGANISATION:
                concerned[event.pk].add(int(record))
        organisation_id = event.data.get("organisation")
        if isinstance(organisation_id, int):
            concerned[event.pk].add(organisation_id)
    sides: Mapping[str, Mapping[int, set[int]]] = {
        SubjectKind.COMMITMENT: _sides_of_commitments(events),
        SubjectKind.REQUEST: _sides_of_requests(events),
    }
    for event in events:
        concerned[event.pk] |= sides.get(event.target_kind, {}).get(event.target_id, set())
    return concerned


def _sides_of_commitments(events: Sequence[Event]) -> dict[int, set[int]]:
    ids = {event.target_id for event in events if event.target_kind == SubjectKind.COMMITMENT}
    rows = Commitment.objects.filter(pk__in=ids).values_list("pk", "giver", "receiver")
    return {pk: {side for side in sides if side is not None} for pk, *sides in rows}


def _sides_of_requests(events: Sequence[Event]) -> dict[int, set[int]]:
    ids = {event.target_id for event in events if event.target_kind == SubjectKind.REQUEST}
    sides: dict[int, set[int]] = defaultdict(set)
    rows = Entry.objects.filter(pk__in=ids).values_list("pk", "organisation", "addressees__organisation")
    for pk, organisation, addressee in rows:
        sides[pk] |= {side for side in (organisation, addressee) if side is not None}
    return sides
