"""Three queries of the audience rules agree in random worlds: `visible_to`, `readers_of` and `reaches_person`.

These return what a person may see, who may see a record, and pairs of both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, NamedTuple, TypeVar

import pytest
from django.db import transaction
from django.db.models import Model, OuterRef, QuerySet, Value
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.activity.models import Event
from partnerships.agreements.models import (
    ALL_READERS,
    FORMER_READERS,
    FULL_READERS,
    Partnership,
    Party,
    PartyRole,
    PartyStatus,
)
from partnerships.commitments.models import ROUTES as COMMITMENT_ROUTES
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import READ_BY_SIDE, Conversation, Side
from partnerships.conversations.models import ROUTES as CONVERSATION_ROUTES
from partnerships.conversations.models import Status as ConversationStatus
from partnerships.exchange.models import ROUTES as ENTRY_ROUTES
from partnerships.exchange.models import Addressee, Entry
from partnerships.exchange.models import Status as EntryStatus
from partnerships.organisations.audience import (
    Everybody,
    Network,
    Organisations,
    Route,
    reaches_person,
    readers_of,
    visible_to,
)
from partnerships.organisations.holdings import for_a_few_records, remembering_holdings
from partnerships.organisations.models import Kind, Membership, Organisation, Role
from partnerships.people.models import User
from partnerships.plans.models import PastPartnership, Plan, PlanOwner, Share
from partnerships.plans.models.routes import draft_routes, published_routes
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

_Any = TypeVar("_Any")
_Model = TypeVar("_Model", bound=Model)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Dice:
    """The random choices of one world."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = timezone.now()
        self.today = timezone.localdate()

    def one(self, choices: Sequence[_Any]) -> _Any:
        """Return one of the choices."""
        return self.random.choice(choices)

    def some(self, choices: Sequence[_Any]) -> list[_Any]:
        """Return some of the choices, or none, or all, in random order."""
        return self.random.sample(choices, self.random.randint(0, len(choices)))

    def moment(self) -> dt.datetime:
        """Return a time a few hours ago, now, or in the future."""
        return self.now + self.random.randint(-3, 2) * HOUR

    def day(self) -> dt.date:
        """Return a day of the last two days, today, or one of the next two."""
        return self.today + self.random.randint(-2, 2) * DAY


def insert_rows(model: type[_Model], rows: Iterable[_Model]) -> list[_Model]:
    """Insert rows in one statement, because services would take a minute for each world."""
    return list(model._base_manager.bulk_create(list(rows)))


def random_world(dice: Dice) -> list[User]:
    """Insert random people, organisations, parties and records, and return the people."""
    people = insert_people(dice)
    bodies = insert_rows(Organisation, (Organisation(name=f"Body {number}", kind=Kind.CHARITY) for number in range(4)))
    insert_memberships(dice, people, bodies)
    partnerships = insert_partnerships(dice, bodies)
    insert_entries(dice, bodies, partnerships)
    insert_commitments(dice, bodies, partnerships)
    insert_conversations(dice, bodies, partnerships)
    insert_plans(dice, bodies, partnerships, people)
    return people


def insert_people(dice: Dice) -> list[User]:
    """Insert six people; some are not active, and some have no account."""
    return insert_rows(
        User,
        (
            User(
                email=f"p{number}@body.example",
                is_active=dice.one([True, True, False]),
                account_since=dice.one([dice.now, None]),
            )
            for number in range(6)
        ),
    )


def insert_memberships(dice: Dice, people: list[User], bodies: list[Organisation]) -> None:
    """Insert memberships; some have ended, start later or are not accepted."""
    memberships = []
    for person in people:
        for body in dice.some(bodies):
            starts_on = dice.day()
            memberships.append(
                Membership(
                    person=person,
                    organisation=body,
                    role=dice.one(Role.values),
                    starts_on=starts_on,
                    ends_on=dice.one([None, max(starts_on, dice.day())]),
                    accepted_at=dice.one([dice.now, dice.now, None]),
                )
            )
    insert_rows(Membership, memberships)


def insert_partnerships(dice: Dice, bodies: list[Organisation]) -> list[Partnership]:
    """Insert three partnerships with parties in every status."""
    partnerships = insert_rows(
        Partnership,
        (
            Partnership(title="x", kind_id="charter", audience=audience, created_at=dice.now, status_since=dice.now)
            for audience in ("parties", "parties", "network")
        ),
    )
    insert_rows(
        Party,
        (
            Party(
                partnership=partnership,
                organisation=body,
                role=dice.one(PartyRole.values),
                status=dice.one(PartyStatus.values),
                invited_at=dice.now - DAY,
                left_at=dice.moment(),
            )
            for partnership in partnerships
            for body in dice.some(bodies)
        ),
    )
    return partnerships


def insert_entries(dice: Dice, bodies: list[Organisation], partnerships: list[Partnership]) -> None:
    """Insert asks for all audiences, drafted or shared, with random addressees."""
    audiences = [dice.one(["named", "partnership", "network"]) for _ in range(6)]
    rows = insert_rows(
        Entry,
        (
            Entry(
                direction="ask",
                title="x",
                theme="land",
                organisation=dice.one(bodies),
                audience=audience,
                partnership=dice.one(partnerships) if audience == "partnership" else None,
                status=dice.one([EntryStatus.DRAFT, EntryStatus.SHARED]),
                created_at=dice.now,
                changed_at=dice.moment(),
                shared_at=dice.moment(),
            )
            for audience in audiences
        ),
    )
    insert_rows(Addressee, (Addressee(entry=row, organisation=body) for row in rows for body in dice.some(bodies)))


def insert_commitments(dice: Dice, bodies: list[Organisation], partnerships: list[Partnership]) -> None:
    """Insert commitments within and outside partnerships; some have an event in the activity log."""
    rows = []
    for number in range(5):
        giver, receiver = dice.random.sample(bodies, 2)
        rows.append(
            Commitment(
                reference=f"C-{number}",
                text="x",
                giver=giver,
                receiver=receiver,
                partnership=dice.one([None, *partnerships]),
                owner_organisation=giver,
                due_on=dice.day(),
                original_due_on=dice.day(),
                status_since=dice.now,
                proposed_at=dice.moment(),
            )
        )
    for row in dice.some(insert_rows(Commitment, rows)):
        Event.objects.create(
            kind="commitment.progress_reported", target_kind="commitment", target_id=row.pk, at=dice.moment()
        )


def insert_conversations(dice: Dice, bodies: list[Organisation], partnerships: list[Partnership]) -> None:
    """Insert planned, drafted and circulated conversations with random sides."""
    rows = insert_rows(
        Conversation,
        (
            Conversation(
                organisation=dice.one(bodies),
                partnership=dice.one([None, *partnerships]),
                subject="x",
                status=dice.one([ConversationStatus.PLANNED, ConversationStatus.DRAFT, ConversationStatus.CIRCULATED]),
                held_on=dice.day(),
                format="video",
                created_at=dice.now,
                circulated_at=dice.now,
            )
            for _ in range(5)
        ),
    )
    insert_rows(Side, (Side(conversation=row, organisation=body) for row in rows for body in dice.some(bodies)))


def insert_plans(dice: Dice, bodies: list[Organisation], partnerships: list[Partnership], people: list[User]) -> None:
    """Insert plans for all audiences, with owners, earlier partnerships and shares of their drafts."""
    rows = insert_rows(
        Plan,
        (
            Plan(
                title="x",
                kind="delivery",
                audience=audience,
                partnership=dice.one(partnerships),
                status=dice.one(["draft", "shared", "closed"]),
                current_number=dice.one([0, 1]),
                open_at=dice.moment(),
                first_published_at=dice.moment(),
                created_at=dice.now,
            )
            for audience in ("owners", "partnership", "partnership", "network", "public")
        ),
    )
    insert_rows(
        PlanOwner,
        (
            PlanOwner(plan=row, organisation=body, ended_at=dice.one([None, None, dice.moment()]))
            for row in rows
            for body in dice.some(bodies)[:3]
        ),
    )
    insert_rows(
        PastPartnership,
        (
            PastPartnership(
                plan=row,
                partnership=dice.one(partnerships),
                audience=dice.one(["owners", "partnership"]),
                left_at=dice.moment(),
            )
            for row in rows[:3]
        ),
    )
    insert_shares(dice, rows, bodies, people)


def insert_shares(dice: Dice, plans: list[Plan], bodies: list[Organisation], people: list[User]) -> None:
    """Insert shares of drafts; some have ended or were revoked."""
    insert_rows(
        Share,
        (
            Share(
                plan=plan,
                person=person,
                organisation=dice.one(bodies),
                shown_for=dice.one(bodies),
                shared_at=dice.now,
                ends_on=dice.one([None, dice.day()]),
                revoked_at=dice.one([None, None, dice.now]),
            )
            for plan in plans
            for person in dice.some(people)
        ),
    )


class AudienceRule(NamedTuple):
    """The routes by which people may read records of a model, and the queryset that pages use."""

    name: str
    model: type[Model]
    routes: tuple[Route, ...]
    visible_to: Callable[[User], QuerySet[Any]]


def audience_rules(now: dt.datetime) -> list[AudienceRule]:
    """Return the audience rules of all models that declare routes."""
    return [
        AudienceRule("partnerships in full", Partnership, FULL_READERS, Partnership.objects.readable_today_by),
        AudienceRule(
            "partnerships held", Partnership, (*FULL_READERS, *FORMER_READERS), Partnership.objects.readable_by
        ),
        AudienceRule("partnerships", Partnership, ALL_READERS, Partnership.objects.visible_to),
        AudienceRule("entries", Entry, ENTRY_ROUTES, Entry.objects.visible_to),
        AudienceRule("commitments", Commitment, COMMITMENT_ROUTES, Commitment.objects.visible_to),
        AudienceRule("conversations", Conversation, CONVERSATION_ROUTES, Conversation.objects.visible_to),
        AudienceRule("plans", Plan, published_routes(now), Plan.objects.published_for),
        AudienceRule("drafts", Plan, draft_routes(now), Plan.objects.draft_visible_to),
        AudienceRule("plans and drafts", Plan, (*published_routes(now), *draft_routes(now)), Plan.objects.visible_to),
    ]


#: Pairs of a person's id and a record's id.
Pairs = set[tuple[int, int]]


def pairs(people: list[User], rows_of: Callable[[User], QuerySet[Any]]) -> Pairs:
    """Return every (person, record) pair of one query, each once."""
    pair_list = [(who.pk, pk) for who in people for pk in rows_of(who).values_list("pk", flat=True)]
    assert len(pair_list) == len(set(pair_list))
    return set(pair_list)


def by_person(model: type[Model], routes: tuple[Route, ...], people: list[User]) -> Pairs:
    """Return the pairs according to what each person may see."""
    return pairs(people, lambda who: model._default_manager.filter(visible_to(model, routes, who)))


def by_record(model: type[Model], routes: tuple[Route, ...]) -> Pairs:
    """Return the pairs according to who may see each record."""
    return {
        (reader.pk, record.pk)
        for record in model._default_manager.all()
        for reader in readers_of(model, routes, record)
    }


def by_condition(model: type[Model], routes: tuple[Route, ...], people: list[User]) -> Pairs:
    """Return the pairs for which the condition is true inside a larger query."""
    return pairs(
        people,
        lambda who: model._default_manager.filter(
            reaches_person(model, routes, record=OuterRef("pk"), person=Value(who.pk))
        ),
    )


def by_side(people: list[User]) -> Pairs:
    """Return the conversations that all people of a side may read, by each person who acts for the side."""
    current = Membership.objects.current().filter(person__in=[who.pk for who in people if who.is_active])
    acting_people = current.values_list("person_id", "organisation_id")
    return {
        (who, pk)
        for who, body in acting_people
        for pk in Side.objects.filter(READ_BY_SIDE, organisation=body).values_list("conversation", flat=True)
    }


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_all_queries_of_the_audience_rules_agree_in_random_worlds(db: None, seed: int) -> None:
    with transaction.atomic():
        dice = Dice(seed)
        people = random_world(dice)
        for rule in audience_rules(dice.now):
            check_all_queries_agree(rule, people)
        transaction.set_rollback(True)


def check_all_queries_agree(rule: AudienceRule, people: list[User]) -> None:
    """Check that all queries of a rule find the same pairs of people and records, within and outside a page."""
    model, routes = rule.model, rule.routes
    expected_pairs = by_record(model, routes)

    assert by_person(model, routes, people) == expected_pairs, rule.name
    with for_a_few_records():
        assert by_person(model, routes, people) == expected_pairs, rule.name
    with remembering_holdings():
        assert by_person(model, routes, people) == expected_pairs, rule.name
        assert pairs(people, rule.visible_to) == expected_pairs, rule.name
        with for_a_few_records():
            assert by_person(model, routes, people) == expected_pairs, rule.name
    assert by_condition(model, routes, people) == expected_pairs, rule.name
    assert pairs(people, rule.visible_to) == expected_pairs, rule.name
    if model is Conversation:
        assert by_side(people) <= expected_pairs, rule.name


@pytest.mark.parametrize("more", [(), (Organisations("parties__organisation"),)])
def test_a_route_to_the_network_without_a_condition_opens_every_record(
    world: World, more: tuple[Organisations, ...]
) -> None:
    routes = (Network(), *more)
    people = [world.ben, world.chidi, world.sol]
    expected = {(who.pk, record.pk) for who in people[:2] for record in (world.partnership, world.other_partnership)}

    pairs_by_person = by_person(Partnership, routes, people)
    with remembering_holdings():
        pairs_on_a_page = by_person(Partnership, routes, people)

    assert pairs_by_person == pairs_on_a_page == expected
    assert {pair for pair in by_record(Partnership, routes) if pair[0] in {who.pk for who in people}} == expected
    everybody = Everybody([world.larkhaven.pk])
    assert Partnership.objects.filter(visible_to(Partnership, routes, everybody)).count() == 2
