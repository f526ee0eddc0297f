"""Digests report the questions about a plan to followers of the plan and of its partnership."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.answers import services
from partnerships.answers.models import Answer, Incoming, PlanQuestion
from partnerships.digests import services as digests
from partnerships.digests.models import Delivery, Subscription
from partnerships.kit.dates import long_date
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience, create_plan
from tests.answers.conftest import PostOffice, play, read_token, send, text_of
from tests.answers.test_replies_by_email import read_mailbox
from tests.answers.test_replies_by_email import reply as email_reply
from tests.digests.conftest import html_of, publish
from tests.support.pages import collapse
from tests.world import World

TITLE = "Which homes are missing?"


def ask(world: World, plan: Plan) -> PlanQuestion:
    """Ask about the plan as Amina which homes are missing. Return the question, which is open for two weeks."""
    return services.ask_question(
        plan=plan,
        title=TITLE,
        body="Think of older people.",
        closes_on=timezone.localdate() + dt.timedelta(days=14),
        author=world.amina,
        now=timezone.now(),
    )


def reply(world: World, question: PlanQuestion) -> Answer:
    """Answer the question as Sol, and return the answer."""
    return services.answer_question(
        person=world.sol,
        question=question,
        version_number=1,
        text="Homes for older people.",
        key=uuid.uuid4(),
        now=timezone.now(),
    )


def add_sol_as_stakeholder(world: World, target: object) -> None:
    """Add Sol as a stakeholder of Larkhaven, who follows the target."""
    digests.add_confirmed_subscription(
        person=world.sol, target=target, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )


def email_texts(office: PostOffice, person: User) -> list[str]:
    """Return the text of each email to a person, followed by its HTML part."""
    return [collapse(f"{text_of(email)} {html_of(email)}") for email in office.to(person)]


def test_partner_reads_who_asked_a_new_question(world: World, plan: Plan, office: PostOffice) -> None:
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    ask(world, plan)

    play(office)

    [text] = email_texts(office, world.ben)
    # The HTML part has the question in bold.
    assert text.count("Asked a question about a plan: Which homes are missing?") == 1
    assert "Amina Larch, Larkhaven Homes" in text


def test_stakeholder_reads_until_when_a_question_is_open(world: World, plan: Plan, office: PostOffice) -> None:
    add_sol_as_stakeholder(world, plan)
    question = ask(world, plan)

    play(office)

    [text] = email_texts(office, world.sol)
    last_day = long_date(question.closes_on)
    assert f"Asked a question about a plan: Which homes are missing?, answers by {last_day}" in text
    assert "Asked a question about a plan: <strong>Which homes are missing?" in text


def test_stakeholder_does_not_read_who_asked_a_question(world: World, plan: Plan, office: PostOffice) -> None:
    add_sol_as_stakeholder(world, plan)
    ask(world, plan)

    play(office)

    [text] = email_texts(office, world.sol)
    assert "Amina Larch, Larkhaven Homes" not in text


def test_followers_of_the_partnership_read_which_plan_a_question_is_about(
    world: World, plan: Plan, office: PostOffice
) -> None:
    digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    add_sol_as_stakeholder(world, world.partnership)
    ask(world, plan)

    play(office)

    news = f"Harbour Quarter: asked a question about a plan: {TITLE}"
    assert news in email_texts(office, world.ben)[-1]
    assert news in email_texts(office, world.sol)[-1]


def test_stakeholders_of_a_partnership_get_nothing_about_a_plan_for_its_owners(
    world: World, plan: Plan, office: PostOffice
) -> None:
    digests.add_confirmed_subscription(
        person=world.sol,
        target=world.partnership,
        author=world.ben,
        organisation=world.westmarch,
        now=timezone.now(),
    )
    change_audience(plan=plan, audience="owners", reason="Talks began.", author=world.amina, now=timezone.now())
    ask(world, plan)

    play(office)

    assert TITLE not in "".join(email_texts(office, world.sol))


@pytest.fixture
def waiting_answer(world: World, plan: Plan) -> Answer:
    """Return Sol's answer to a question, about a plan that Ben and Sol follow. No lead has approved it."""
    add_sol_as_stakeholder(world, plan)
    question = ask(world, plan)
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    return reply(world, question)


def test_waiting_answer_is_not_told(world: World, waiting_answer: Answer, office: PostOffice) -> None:
    play(office)

    assert "New answer" not in "".join(email_texts(office, world.ben))


def test_approved_answer_is_told_without_its_text(world: World, waiting_answer: Answer, office: PostOffice) -> None:
    play(office)
    services.approve_answer(answer=waiting_answer, author=world.amina, now=timezone.now())

    play(office)

    text = email_texts(office, world.ben)[-1]
    assert "New answer to a question about a plan: Which homes are missing?" in text
    assert "Homes for older people." not in text


def test_stakeholders_are_not_told_of_an_answer(world: World, waiting_answer: Answer, office: PostOffice) -> None:
    services.approve_answer(answer=waiting_answer, author=world.amina, now=timezone.now())

    play(office)

    assert "New answer" not in "".join(email_texts(office, world.sol))


def test_two_answers_of_a_trusted_person_are_told_once(world: World, plan: Plan, office: PostOffice) -> None:
    add_sol_as_stakeholder(world, plan)
    services.trust_person(person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now())
    question = ask(world, plan)
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    reply(world, question)
    reply(world, question)

    play(office)

    assert email_texts(office, world.ben)[-1].count(f"New answer to a question about a plan: {TITLE}") == 1


def test_reply_to_an_email_with_only_a_question_becomes_a_comment(
    world: World, plan: Plan, office: PostOffice, tmp_path: Path
) -> None:
    add_sol_as_stakeholder(world, plan)
    ask(world, plan)
    play(office)
    address = str(office.to(world.sol)[-1]["Reply-To"])

    output = read_mailbox(tmp_path, email_reply(address, "Homes for older people."))

    incoming = Incoming.objects.get()
    assert "1 reply" in output
    assert incoming.person == world.sol
    assert incoming.plan == plan
    assert incoming.text == "Homes for older people."


@pytest.fixture
def reply_about_the_partnership(world: World, plan: Plan, office: PostOffice, tmp_path: Path) -> Incoming:
    """Return Sol's reply to a digest, which could be about any plan of the partnership."""
    add_sol_as_stakeholder(world, world.partnership)
    ask(world, plan)
    play(office)
    read_mailbox(tmp_path, email_reply(str(office.to(world.sol)[-1]["Reply-To"]), "Homes for older people."))
    incoming = Incoming.objects.select_related("person").get()
    incoming.plan = None
    return incoming


def publish_other_plan(world: World, title: str) -> None:
    """Publish another plan of Larkhaven that the Estuary Partnership reads."""
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title=title,
        kind="delivery",
        audience="partnership",
        author=world.amina,
        now=timezone.now(),
    )
    publish(plan, 50, author=world.amina)


def test_reply_about_a_partnership_can_be_about_each_of_its_plans(
    world: World, reply_about_the_partnership: Incoming
) -> None:
    publish_other_plan(world, "Mill Road")

    plans = services.plans_of_reply(reply_about_the_partnership, timezone.now())

    assert {plan.title for plan in plans} == {"Harbour Quarter", "Mill Road"}


def test_reply_about_a_partnership_with_many_plans_needs_no_more_queries(
    world: World, reply_about_the_partnership: Incoming
) -> None:
    with CaptureQueriesContext(connection) as queries_for_one_plan:
        services.plans_of_reply(reply_about_the_partnership, timezone.now())
    publish_other_plan(world, "Mill Road")
    publish_other_plan(world, "North Fields")
    publish_other_plan(world, "Ferry Yard")

    with CaptureQueriesContext(connection) as queries_for_four_plans:
        services.plans_of_reply(reply_about_the_partnership, timezone.now())

    assert len(queries_for_four_plans) <= len(queries_for_one_plan)


@pytest.mark.parametrize("followed", ["plan", "partnership", "organisation"])
def test_stakeholder_answers_a_question_by_the_link_in_the_digest(
    followed: str, world: World, plan: Plan, office: PostOffice, bearer: Client
) -> None:
    targets = {"plan": plan, "partnership": world.partnership, "organisation": world.larkhaven}
    add_sol_as_stakeholder(world, targets[followed])
    question = ask(world, plan)
    play(office)
    link = re.search(r"Answer the question: \S+?(/answers/\S+)", email_texts(office, world.sol)[-1])
    assert link is not None
    overview = bearer.get(link[1]).content.decode()
    question_link = re.search(rf'href="(/answers/\S+/questions/{question.pk}/)"', overview)
    assert question_link is not None

    send(bearer, question_link[1], text="Homes for older people.")

    answer = Answer.objects.get()
    assert answer.person == world.sol
    assert answer.question == question
    assert answer.status == "waiting"


@pytest.fixture
def token_of_digest(world: World, plan: Plan, office: PostOffice) -> str:
    """Return the token of the links in Sol's digest about the partnership, which has a question."""
    add_sol_as_stakeholder(world, world.partnership)
    ask(world, plan)
    play(office)
    return read_token(world.sol, Delivery.objects.get(recipient=world.sol, kind="digests.digest"))


def test_the_page_of_a_digest_leads_to_answering(plan: Plan, token_of_digest: str, bearer: Client) -> None:
    html = collapse(bearer.get(reverse("digests:view", kwargs={"token": token_of_digest})).content.decode())

    assert 'Answer or comment on Harbour Quarter</a> <span class="cg-muted">1 question from the owners</span>' in html
    assert reverse("answers:by-link", kwargs={"token": token_of_digest, "plan": plan.pk}) in html


def test_the_link_of_a_question_opens_the_plan_without_confidential_sites(
    plan: Plan, token_of_digest: str, bearer: Client
) -> None:
    html = bearer.get(reverse("digests:read", kwargs={"token": token_of_digest, "plan": plan.pk})).content.decode()

    assert "North Quay" in html
    assert "Mill Lane" not in html


def stop_subscriptions_of_sol(world: World) -> None:
    """Stop all subscriptions of Sol as Amina."""
    digests.stop(
        subscriptions=list(Subscription.objects.filter(person=world.sol)),
        author=world.amina,
        reason="Left the panel.",
        now=timezone.now(),
    )


@pytest.mark.parametrize("name", ["answers:by-link", "digests:read"])
def test_the_link_of_a_question_ends_with_the_right_to_read_the_plan(
    name: str, world: World, plan: Plan, token_of_digest: str, bearer: Client
) -> None:
    stop_subscriptions_of_sol(world)

    response = bearer.get(reverse(name, kwargs={"token": token_of_digest, "plan": plan.pk}))

    assert response.status_code == 404


def test_the_page_of_a_digest_offers_no_answer_once_the_right_to_read_ended(
    world: World, token_of_digest: str, bearer: Client
) -> None:
    stop_subscriptions_of_sol(world)

    html = bearer.get(reverse("digests:view", kwargs={"token": token_of_digest})).content.decode()

    assert "Answer or comment" not in html


def test_followers_of_an_owner_get_a_question_about_a_plan_without_a_partnership(
    world: World, public_plan: Plan, office: PostOffice
) -> None:
    digests.subscribe(person=world.ben, target=world.larkhaven, author=world.ben, now=timezone.now())
    ask(world, public_plan)

    play(office)

    [email_text] = email_texts(office, world.ben)
    assert f"Open Quay: asked a question about a plan: {TITLE}" in email_text


def test_question_about_several_subjects_that_a_person_follows_is_reported_once(
    world: World, plan: Plan, office: PostOffice
) -> None:
    digests.subscribe(person=world.ben, target=world.larkhaven, author=world.ben, now=timezone.now())
    digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    ask(world, plan)

    play(office)

    [email_text] = email_texts(office, world.ben)
    assert email_text.lower().count("asked a question about a plan: which homes are missing?") == 1


def test_a_question_whose_last_day_is_past_asks_nobody(world: World, plan: Plan, office: PostOffice) -> None:
    add_sol_as_stakeholder(world, plan)
    last_day = timezone.localdate() - dt.timedelta(days=6)
    services.ask_question(
        plan=plan,
        title=TITLE,
        body="",
        closes_on=last_day,
        author=world.amina,
        now=timezone.now() - dt.timedelta(days=20),
    )

    play(office)

    email_text = email_texts(office, world.sol)[-1]
    assert f"{TITLE}, answers were due by {long_date(last_day)}" in email_text
    assert "Answer the question" not in email_text


def test_question_that_was_closed_at_once_is_not_reported(world: World, plan: Plan, office: PostOffice) -> None:
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    services.close_question(question=ask(world, plan), author=world.amina, now=timezone.now())

    play(office)

    assert email_texts(office, world.ben) == []
