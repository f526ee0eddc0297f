"""Finds the events about which each follower may be told.

The rights of people with an account are the same as for timelines (`activity.registry`). The rights of stakeholders are
in docs/rights.md.
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


def visible_to_accounts(person_ids: Collection[int], event_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Return the ids of the events that each of these people, who have accounts, may see.

    Rights usually depend only on a person's organisations and roles there. So one query is enough for all people with
    the same ones. Facilitators and administrators have further rights, and each of them needs a separate query.
    """
    if not person_ids or not event_ids:
        return {}
    roles_by_person: dict[int, set[tuple[int, str]]] = defaultdict(set)
    memberships = Membership.objects.current().filter(person__in=person_ids)
    for person_id, organisation_id, role in memberships.values_list("person_id", "organisation_id", "role"):
        roles_by_person[person_id].add((organisation_id, role))
    facilitator_ids = set(Facilitator.objects.filter(person__in=person_ids).values_list("person_id", flat=True))

    # The key is a person's id or, for people who share a query, their organisations and roles.
    users_by_rights: dict[object, list[User]] = defaultdict(list)
    for user in User.objects.filter(pk__in=person_ids, is_active=True).order_by("pk"):
        if user.pk in facilitator_ids or user.is_staff:
            users_by_rights[user.pk].append(user)
        else:
            users_by_rights[frozenset(roles_by_person[user.pk])].append(user)

    visible_by_person: dict[int, frozenset[int]] = {}
    for users in users_by_rights.values():
        # All of these users have the same rights, so ask for the first.
        visible_ids = frozenset(visible_events(users[0], Q(pk__in=list(event_ids))).values_list("pk", flat=True))
        for user in users:
            visible_by_person[user.pk] = visible_ids
    return visible_by_person


class Follows(NamedTuple):
    """One row of the database view `SubjectFollowing`: a subscription by which a person follows a subject.

    This is a named tuple and not a model, because a batch of emails reads many rows.
    """

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


def follows_of(person_ids: Collection[int], subjects: Collection[int]) -> dict[tuple[int, int], list[Follows]]:
    """Return the subscriptions by which these people follow these subjects, by the ids of both, the closest first."""
    follows_by_pair: dict[tuple[int, int], list[Follows]] = defaultdict(list)
    for row in rows_planned_once(_FOLLOWS, [sorted(person_ids), sorted(subjects)], generic_plan=True):
        follows = Follows(*row)
        follows_by_pair[follows.person_id, follows.subject_id].append(follows)
    return follows_by_pair


def open_subjects(follows: Collection[Follows], readable_subscription_ids: Collection[int]) -> set[tuple[int, int]]:
    """Return the pairs (person id, subject id) of stakeholders and subjects that they may still be told about.

    `readable_subscription_ids` are subscriptions whose target the organisation that added the stakeholder may read.
    Their targets are included.

    A follower of an organisation also follows its partnerships (rank 2). A partnership is included only if the whole
    network may see it, or if the organisation that added the stakeholder takes part in it.
    """
    readable_follows = [row for row in follows if row.subscription_id in readable_subscription_ids]
    direct_pairs = {(row.person_id, row.subject_id) for row in readable_follows if row.rank == 1}
    indirect_follows = [row for row in readable_follows if row.rank > 1]
    if not indirect_follows:
        return direct_pairs

    subjects = Subject.objects.filter(pk__in={row.subject_id for row in indirect_follows})
    partnership_by_subject = dict(subjects.values_list("pk", "record_id"))
    partnership_ids = set(partnership_by_subject.values())
    network_partnerships = Partnership.objects.filter(pk__in=partnership_ids, audience=PartnershipAudience.NETWORK)
    network_partnership_ids = set(network_partnerships.values_list("pk", flat=True))
    present_parties = Party.objects.accepted().filter(partnership__in=partnership_ids)
    party_pairs = set(present_parties.values_list("partnership", "organisation"))

    def is_open(row: Follows) -> bool:
        partnership_id = partnership_by_subject[row.subject_id]
        return partnership_id in network_partnership_ids or (partnership_id, row.added_for_id) in party_pairs

    return direct_pairs | {(row.person_id, row.subject_id) for row in indirect_follows if is_open(row)}


def open_to_stakeholders(events: Iterable[Event]) -> frozenset[int]:
    """Return the ids of the events that stakeholders without an account may be told about.

    Events about a commitment, ask, offer or meeting are only among them while a lead of a party has marked the record.
    """
    open_ids: set[int] = set()
    events_needing_mark: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.audience == Audience.OUTSIDE:
            open_ids.add(event.pk)
        elif event.audience == Audience.MARKED:
            events_needing_mark[event.target_kind].append(event)
    for kind_name, kind_events in events_needing_mark.items():
        marked_ids = _marked_among(kind_name, {event.target_id for event in kind_events})
        open_ids.update(event.pk for event in kind_events if event.target_id in marked_ids)
    return frozenset(open_ids)


def _marked_among(kind_name: str, record_ids: Collection[int]) -> set[int]:
    """Return the ids of the records among these that are marked for stakeholders; none of a kind without marks."""
    kind = kind_named(kind_name)
    if kind is None or kind.marked_ids is None:
        return set()
    # A kind of record returns its ids as values or as a flat list.
    marked_rows = kind.marked_ids().filter(pk__in=record_ids)
    return {row["pk"] if isinstance(row, dict) else row for row in marked_rows}


def closed_plans(stakeholder_ids: Collection[int], events: Iterable[Event], now: dt.datetime) -> set[tuple[int, int]]:
    """Return the pairs (person id, event id) of stakeholders and events within plans that they may not read."""
    plan_by_event = {event.pk: event.within_id for event in events if event.within_kind == SubjectKind.PLAN}
    plan_ids = {plan_id for plan_id in plan_by_event.values() if plan_id is not None}
    if not stakeholder_ids or not plan_ids:
        return set()
    class_by_reader = reading_classes(sorted(plan_ids), now=now, person_ids=sorted(stakeholder_ids))
    closed_pairs: set[tuple[int, int]] = set()
    for person_id in stakeholder_ids:
        for event_id, plan_id in plan_by_event.items():
            if (person_id, plan_id) not in class_by_reader:
                closed_pairs.add((person_id, event_id))
    return closed_pairs


def own_organisations(person_ids: Collection[int], follows: Iterable[Follows]) -> dict[int, set[int]]:
    """Return the ids of the organisations that each person acts for or was added by, by person."""
    organisations_by_person: dict[int, set[int]] = defaultdict(set)
    memberships = Membership.objects.current().filter(person__in=person_ids)
    for person_id, organisation_id in memberships.values_list("person_id", "organisation_id"):
        organisations_by_person[person_id].add(organisation_id)
    for row in follows:
        if row.added_for_id is not None:
            organisations_by_person[row.person_id].add(row.added_for_id)
    return organisations_by_person


def concerned_by(events: Sequence[Event]) -> dict[int, set[int]]:
    """Return the ids of the organisations that each event concerns, by event.

    These are

    * the organisation of the actor;
    * organisations that the event names, or in whose timelines it is;
    * the giver and receiver of a commitment, and the organisations of an ask or offer and its addressees.
    """
    concerned_ids: dict[int, set[int]] = {event.pk: set() for event in events}
    for event in events:
        if event.organisation_id is not None:
            concerned_ids[event.pk].add(event.organisation_id)
        for subject in event.subjects:
            kind, _, record_id = subject.partition(":")
            if kind == SubjectKind.ORGANISATION:
                concerned_ids[event.pk].add(int(record_id))
        organisation_id = event.data.get("organisation")
        if isinstance(organisation_id, int):
            concerned_ids[event.pk].add(organisation_id)

    sides: Mapping[str, Mapping[int, set[int]]] = {
        SubjectKind.COMMITMENT: _sides_of_commitments(events),
        SubjectKind.REQUEST: _sides_of_requests(events),
    }
    for event in events:
        concerned_ids[event.pk] |= sides.get(event.target_kind, {}).get(event.target_id, set())
    return concerned_ids


def _sides_of_commitments(events: Sequence[Event]) -> dict[int, set[int]]:
    """Return the ids of the giver and the receiver of each commitment among these events' records, by commitment."""
    ids = {event.target_id for event in events if event.target_kind == SubjectKind.COMMITMENT}
    rows = Commitment.objects.filter(pk__in=ids).values_list("pk", "giver", "receiver")
    return {pk: {giver_id, receiver_id} - {None} for pk, giver_id, receiver_id in rows}


def _sides_of_requests(events: Sequence[Event]) -> dict[int, set[int]]:
    """Return the ids of the organisation that made each ask or offer and of its addressees, by ask or offer."""
    ids = {event.target_id for event in events if event.target_kind == SubjectKind.REQUEST}
    sides: dict[int, set[int]] = defaultdict(set)
    rows = Entry.objects.filter(pk__in=ids).values_list("pk", "organisation", "addressees__organisation")
    for pk, organisation_id, addressee_id in rows:
        sides[pk] |= {organisation_id, addressee_id} - {None}
    return sides
