"""Digests tell the followers of a plan and of its partnership about its questions."""

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
    return services.ask_question(
        plan=plan,
        title=TITLE,
        body="Think of older people.",
        closes_on=timezone.localdate() + dt.timedelta(days=14),
        author=world.amina,
        now=timezone.now(),
    )


def reply(world: World, question: PlanQuestion) -> Answer:
    return services.answer_question(
        person=world.sol,
        question=question,
        version_number=1,
        text="Homes for older people.",
        key=uuid.uuid4(),
        now=timezone.now(),
    )


def stakeholder(world: World, target: object) -> None:
    """Let Larkhaven add Sol as a stakeholder."""
    digests.add_confirmed_subscription(
        person=world.sol, target=target, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )


def said_to(office: PostOffice, person: User) -> list[str]:
    """Return the text of each email to a person, followed by its HTML part."""
    return [collapse(f"{text_of(email)} {html_of(email)}") for email in office.to(person)]


def test_followers_of_a_plan_hear_of_a_new_question(world: World, plan: Plan, office: PostOffice) -> None:
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    stakeholder(world, plan)
    ask(world, plan)

    play(office)

    [to_ben], [to_sol] = said_to(office, world.ben), said_to(office, world.sol)
    assert to_ben.count(f"Asked a question about a plan: {TITLE}") == 1  # the other part marks the words
    by = f"{world.amina.display_name}, {world.larkhaven.name}"
    assert by in to_ben
    last_day = long_date(timezone.localdate() + dt.timedelta(days=14))
    assert f"Asked a question about a plan: {TITLE}, answers by {last_day}" in to_sol
    assert f"Asked a question about a plan: <strong>{TITLE}" in to_sol
    assert by not in to_sol


def test_followers_of_the_partnership_hear_which_plan_it_is_about(world: World, plan: Plan, office: PostOffice) -> None:
    digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    stakeholder(world, world.partnership)
    ask(world, plan)

    play(office)

    for person in (world.ben, world.sol):
        assert f"Harbour Quarter: asked a question about a plan: {TITLE}" in said_to(office, person)[-1]


def test_stakeholders_of_a_partnership_hear_nothing_about_a_plan_for_its_owners(
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

    assert TITLE not in "".join(said_to(office, world.sol))


def test_readers_inside_the_plan_hear_of_an_answer_once_it_is_shown(
    world: World, plan: Plan, office: PostOffice
) -> None:
    stakeholder(world, plan)
    question = ask(world, plan)
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    answer = reply(world, question)
    play(office)
    before = "".join(said_to(office, world.ben))
    services.approve_answer(answer=answer, author=world.amina, now=timezone.now())

    play(office)

    assert "New answer" not in before
    assert f"New answer to a question about a plan: {TITLE}" in said_to(office, world.ben)[-1]
    assert "Homes for older people." not in "".join(said_to(office, world.ben))
    assert "New answer" not in "".join(said_to(office, world.sol))


def test_an_answer_of_a_trusted_person_is_told_at_once(world: World, plan: Plan, office: PostOffice) -> None:
    stakeholder(world, plan)
    services.trust_person(person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now())
    question = ask(world, plan)
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    reply(world, question)
    reply(world, question)

    play(office)

    assert said_to(office, world.ben)[-1].count(f"New answer to a question about a plan: {TITLE}") == 1


def test_a_reply_to_an_email_that_told_only_a_question_becomes_a_comment(
    world: World, plan: Plan, office: PostOffice, tmp_path: Path
) -> None:
    stakeholder(world, plan)
    ask(world, plan)
    play(office)
    address = str(office.to(world.sol)[-1]["Reply-To"])

    said = read_mailbox(tmp_path, email_reply(address, "Homes for older people."))

    incoming = Incoming.objects.get()
    assert "1 replies" in said
    assert (incoming.person, incoming.plan, incoming.text) == (world.sol, plan, "Homes for older people.")


def test_a_reply_about_a_partnership_with_many_plans_needs_no_more_queries(
    world: World, plan: Plan, office: PostOffice, tmp_path: Path
) -> None:
    stakeholder(world, world.partnership)
    ask(world, plan)
    play(office)
    read_mailbox(tmp_path, email_reply(str(office.to(world.sol)[-1]["Reply-To"]), "Homes for older people."))
    incoming = Incoming.objects.select_related("person").get()
    incoming.plan = None  # as if it could be about any of the partnership's

    def counted() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            found = services.plans_of_reply(incoming, timezone.now())
        return len(found), len(queries)

    one, before = counted()
    for title in ("Mill Road", "North Fields", "Ferry Yard"):
        other = create_plan(
            owners=[world.larkhaven],
            partnership=world.partnership,
            title=title,
            kind="delivery",
            audience="partnership",
            author=world.amina,
            now=timezone.now(),
        )
        publish(other, 50, author=world.amina)
    several, after = counted()

    assert several == one + 3
    assert after <= before


@pytest.mark.parametrize("followed", ["plan", "partnership", "organisation"])
def test_a_stakeholder_answers_a_question_by_the_link_that_told_it(
    followed: str, world: World, plan: Plan, office: PostOffice, bearer: Client
) -> None:
    targets = {"plan": plan, "partnership": world.partnership, "organisation": world.larkhaven}
    stakeholder(world, targets[followed])
    question = ask(world, plan)
    play(office)
    link = re.search(r"Answer the question: \S+?(/answers/\S+)", said_to(office, world.sol)[-1])
    assert link is not None

    overview = bearer.get(link[1])
    where = reverse("answers:question-by-link", kwargs={**overview.resolver_match.kwargs, "question": question.pk})
    send(bearer, where, text="Homes for older people.")

    answer = Answer.objects.get()
    assert where in overview.content.decode()
    assert (answer.person, answer.question, answer.status) == (world.sol, question, "waiting")


def test_the_page_of_a_digest_leads_to_the_plan_and_to_answering(
    world: World, plan: Plan, office: PostOffice, bearer: Client
) -> None:
    stakeholder(world, world.partnership)
    ask(world, plan)
    play(office)
    token = read_token(world.sol, Delivery.objects.get(recipient=world.sol, kind="digests.digest"))

    view = collapse(bearer.get(reverse("digests:view", kwargs={"token": token})).content.decode())
    read = bearer.get(reverse("digests:read", kwargs={"token": token, "plan": plan.pk}))

    assert 'Answer or comment on Harbour Quarter</a> <span class="cg-muted">1 question from the owners</span>' in view
    assert reverse("answers:by-link", kwargs={"token": token, "plan": plan.pk}) in view
    assert "North Quay" in read.content.decode()
    assert "Mill Lane" not in read.content.decode()  # confidential


def test_the_link_of_a_question_ends_with_the_right_to_read_the_plan(
    world: World, plan: Plan, office: PostOffice, bearer: Client
) -> None:
    stakeholder(world, plan)
    ask(world, plan)
    play(office)
    token = read_token(world.sol, Delivery.objects.get(recipient=world.sol, kind="digests.digest"))
    digests.stop(
        subscriptions=list(Subscription.objects.filter(person=world.sol)),
        author=world.amina,
        reason="Left the panel.",
        now=timezone.now(),
    )

    pages = [
        bearer.get(reverse(name, kwargs={"token": token, "plan": plan.pk}))
        for name in ("answers:by-link", "digests:read")
    ]
    view = bearer.get(reverse("digests:view", kwargs={"token": token})).content.decode()

    assert [page.status_code for page in pages] == [404, 404]
    assert "Answer or comment" not in view


def test_followers_of_an_owner_hear_of_a_question_about_a_plan_without_a_partnership(
    world: World, opened: Plan, office: PostOffice
) -> None:
    digests.subscribe(person=world.ben, target=world.larkhaven, author=world.ben, now=timezone.now())
    ask(world, opened)

    play(office)

    [said] = said_to(office, world.ben)
    assert f"Open Quay: asked a question about a plan: {TITLE}" in said


def test_a_question_about_several_things_that_somebody_follows_comes_once(
    world: World, plan: Plan, office: PostOffice
) -> None:
    for target in (world.larkhaven, world.partnership, plan):
        digests.subscribe(person=world.ben, target=target, author=world.ben, now=timezone.now())
    ask(world, plan)

    play(office)

    [said] = said_to(office, world.ben)
    assert said.count(f"sked a question about a plan: {TITLE}") == 1


def test_a_question_whose_last_day_is_past_asks_nobody(world: World, plan: Plan, office: PostOffice) -> None:
    stakeholder(world, plan)
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

    said = said_to(office, world.sol)[-1]
    assert f"{TITLE}, answers were due by {long_date(last_day)}" in said
    assert "Answer the question" not in said


def test_a_question_that_was_closed_at_once_is_not_told(world: World, plan: Plan, office: PostOffice) -> None:
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    services.close_question(question=ask(world, plan), author=world.amina, now=timezone.now())

    play(office)

    assert said_to(office, world.ben) == []
