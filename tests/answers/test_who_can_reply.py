"""A digest offers a reply to those readers whose reply can be used, and to no others."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.answers.queries.replying import emails_open_to_reply
from partnerships.digests import services as digests
from partnerships.organisations.models import Membership, Role
from partnerships.outbox.hooks import ReplyTo
from partnerships.outbox.reply_addresses import CAN_REPLY
from partnerships.people.models import User
from partnerships.plans.models import Plan, Status
from partnerships.plans.services import change_audience
from tests.answers.conftest import PostOffice, play, publish, text_of
from tests.answers.test_replies_by_email import read_mailbox, reply
from tests.commitments.promises import propose
from tests.digests.conftest import html_of
from tests.digests.test_changes_are_told import STATUS, happen
from tests.world import World

COMMENT, CONVERSATION, REFUSED = "1 reply", "1 forwarded email", "1 could not be used"


def newest(office: PostOffice, person: User) -> Any:
    """Return the newest email to this person."""
    return office.to(person)[-1]


def assert_reply_is_offered_and_becomes(email: Any, outcome: str, folder: Path, sender: User) -> None:
    """Check that a reply to the email becomes `outcome`, and that the email offers a reply only if it can be used."""
    output = read_mailbox(folder, reply(str(email["Reply-To"]), "Homes for older people.", From=sender.email))

    offer_count = 0 if outcome == REFUSED else 1
    assert outcome in output
    assert text_of(email).count(CAN_REPLY) == offer_count
    assert html_of(email).count(CAN_REPLY) == offer_count


@pytest.fixture
def subscribed_ben(world: World) -> User:
    """Return Ben, a partner who follows the partnership."""
    digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    return world.ben


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_partner_can_reply_about_a_plan_that_partners_read(
    role: Role, world: World, plan: Plan, subscribed_ben: User, office: PostOffice, tmp_path: Path
) -> None:
    Membership.objects.filter(person=subscribed_ben).update(role=role)
    happen(world, STATUS, before="active", after="under_review")

    play(office)

    assert_reply_is_offered_and_becomes(newest(office, subscribed_ben), COMMENT, tmp_path, subscribed_ben)


@pytest.mark.parametrize(("role", "outcome"), [(Role.VIEWER, REFUSED), (Role.EDITOR, CONVERSATION)])
def test_only_editors_of_a_partner_can_reply_about_a_plan_that_owners_read(
    role: Role, outcome: str, world: World, plan: Plan, subscribed_ben: User, office: PostOffice, tmp_path: Path
) -> None:
    Membership.objects.filter(person=subscribed_ben).update(role=role)
    change_audience(plan=plan, audience="owners", reason="Talks began.", author=world.amina, now=timezone.now())
    happen(world, STATUS, before="active", after="under_review")

    play(office)

    assert_reply_is_offered_and_becomes(newest(office, subscribed_ben), outcome, tmp_path, subscribed_ben)


@pytest.mark.parametrize(
    ("name", "outcome"), [("ben", REFUSED), ("vera", COMMENT)], ids=["of a partner", "of the owner"]
)
def test_viewers_of_the_same_change_get_an_offer_by_their_own_rights(
    name: str, outcome: str, world: World, plan: Plan, office: PostOffice, tmp_path: Path
) -> None:
    digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    digests.subscribe(person=world.vera, target=world.partnership, author=world.vera, now=timezone.now())
    Membership.objects.filter(person=world.ben).update(role=Role.VIEWER)
    change_audience(plan=plan, audience="owners", reason="Talks began.", author=world.amina, now=timezone.now())
    happen(world, STATUS, before="active", after="under_review")

    play(office)

    viewer = getattr(world, name)
    assert_reply_is_offered_and_becomes(newest(office, viewer), outcome, tmp_path, viewer)


@pytest.fixture
def subscribed_sol(world: World) -> User:
    """Return Sol, a stakeholder who follows the partnership."""
    digests.add_confirmed_subscription(
        person=world.sol,
        target=world.partnership,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    return world.sol


def test_stakeholder_can_reply_while_a_plan_is_open(
    world: World, plan: Plan, subscribed_sol: User, office: PostOffice, tmp_path: Path
) -> None:
    happen(world, STATUS, before="active", after="under_review")

    play(office)

    assert_reply_is_offered_and_becomes(newest(office, subscribed_sol), COMMENT, tmp_path, subscribed_sol)


def test_stakeholder_cannot_reply_once_a_plan_is_closed(
    world: World, plan: Plan, subscribed_sol: User, office: PostOffice, tmp_path: Path
) -> None:
    Plan.objects.filter(pk=plan.pk).update(status=Status.CLOSED)
    happen(world, STATUS, before="active", after="under_review")

    play(office)

    assert_reply_is_offered_and_becomes(newest(office, subscribed_sol), REFUSED, tmp_path, subscribed_sol)


def test_nobody_can_reply_to_a_version_of_a_plan_that_was_closed(
    world: World, plan: Plan, office: PostOffice, tmp_path: Path
) -> None:
    digests.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    publish(plan, 96, author=world.amina)
    Plan.objects.filter(pk=plan.pk).update(status=Status.CLOSED)

    play(office)

    assert_reply_is_offered_and_becomes(newest(office, world.sol), REFUSED, tmp_path, world.sol)


def test_summary_of_notices_about_one_partnership_offers_a_reply(
    world: World, office: PostOffice, tmp_path: Path, settings: Any
) -> None:
    settings.NOTICES_AT_ONCE = False
    propose(world, partnership=world.partnership)

    play(office, now=timezone.now() + dt.timedelta(days=5))

    [email] = office.to(world.ben)
    assert_reply_is_offered_and_becomes(email, CONVERSATION, tmp_path, world.ben)


def test_summary_of_notices_outside_partnerships_offers_no_reply(
    world: World, office: PostOffice, tmp_path: Path, settings: Any
) -> None:
    settings.NOTICES_AT_ONCE = False
    propose(world, partnership=None)

    play(office, now=timezone.now() + dt.timedelta(days=5))

    [email] = office.to(world.ben)
    assert_reply_is_offered_and_becomes(email, REFUSED, tmp_path, world.ben)


def email_about_everything(world: World, plan: Plan, person: User) -> ReplyTo:
    """Return what is asked about an email to a person about the plan and all partnerships."""
    return ReplyTo(
        email_id=person.pk,
        person_id=person.pk,
        is_stakeholder=person.is_stakeholder,
        plan_ids=frozenset({plan.pk}),
        published_in_ids=frozenset({world.partnership.pk}),
        partnership_ids=frozenset(Partnership.objects.values_list("pk", flat=True)),
    )


@pytest.mark.parametrize("name", ["amina", "ben", "vera", "chidi", "sol"])
def test_everyone_who_writes_about_one_of_many_subjects_can_reply(
    name: str, world: World, plan: Plan, subscribed_sol: User
) -> None:
    person = getattr(world, name)

    email_ids = emails_open_to_reply([email_about_everything(world, plan, person)], timezone.now())

    assert email_ids == {person.pk}


def test_many_readers_of_many_plans_need_no_more_queries(world: World, plan: Plan) -> None:
    people = [world.chidi, world.ben, world.amina, world.vera, world.hana]
    emails = [email_about_everything(world, plan, person) for person in people]
    with CaptureQueriesContext(connection) as queries_for_one:
        emails_open_to_reply(emails[:1], timezone.now())

    with CaptureQueriesContext(connection) as queries_for_five:
        emails_open_to_reply(emails, timezone.now())

    assert len(queries_for_five) <= len(queries_for_one)


def test_readers_with_a_stakeholder_among_them_need_at_most_five_queries(
    world: World, plan: Plan, subscribed_sol: User, django_assert_max_num_queries: Any
) -> None:
    people = [subscribed_sol, world.chidi, world.ben, world.amina, world.vera]
    emails = [email_about_everything(world, plan, person) for person in people]

    with django_assert_max_num_queries(5):
        emails_open_to_reply(emails, timezone.now())
