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


def add_sol_as_stakeholder(world: World, target: object) -> None:
    """Add Sol as a stakeholder of Larkhaven, who follows the target."""
    digests.add_confirmed_subscription(
        person=world.sol, target=target, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )


def email_texts(office: PostOffice, person: User) -> list[str]:
    """Return the text of each email to a person, followed by its HTML part."""
    return [collapse(f"{text_of(email)} {html_of(email)}") for email in office.to(person)]


def test_followers_of_a_plan_get_a_new_question(world: World, plan: Plan, office: PostOffice) -> None:
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    add_sol_as_stakeholder(world, plan)
    ask(world, plan)

    play(office)

    [to_ben], [to_sol] = email_texts(office, world.ben), email_texts(office, world.sol)
    assert to_ben.count(f"Asked a question about a plan: {TITLE}") == 1  # the other part marks the words
    author_line = f"{world.amina.display_name}, {world.larkhaven.name}"
    assert author_line in to_ben
    last_day = long_date(timezone.localdate() + dt.timedelta(days=14))
    assert f"Asked a question about a plan: {TITLE}, answers by {last_day}" in to_sol
    assert f"Asked a question about a plan: <strong>{TITLE}" in to_sol
    assert author_line not in to_sol


def test_followers_of_the_partnership_read_which_plan_a_question_is_about(
    world: World, plan: Plan, office: PostOffice
) -> None:
    digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    add_sol_as_stakeholder(world, world.partnership)
    ask(world, plan)

    play(office)

    for person in (world.ben, world.sol):
        assert f"Harbour Quarter: asked a question about a plan: {TITLE}" in email_texts(office, person)[-1]


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


def test_readers_inside_the_plan_get_an_answer_when_it_is_shown(world: World, plan: Plan, office: PostOffice) -> None:
    add_sol_as_stakeholder(world, plan)
    question = ask(world, plan)
    digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    answer = reply(world, question)
    play(office)
    texts_before = "".join(email_texts(office, world.ben))
    services.approve_answer(answer=answer, author=world.amina, now=timezone.now())

    play(office)

    assert "New answer" not in texts_before
    assert f"New answer to a question about a plan: {TITLE}" in email_texts(office, world.ben)[-1]
    assert "Homes for older people." not in "".join(email_texts(office, world.ben))
    assert "New answer" not in "".join(email_texts(office, world.sol))


def test_answer_of_a_trusted_person_is_reported_at_once(world: World, plan: Plan, office: PostOffice) -> None:
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


def test_reply_about_a_partnership_with_many_plans_needs_no_more_queries(
    world: World, plan: Plan, office: PostOffice, tmp_path: Path
) -> None:
    add_sol_as_stakeholder(world, world.partnership)
    ask(world, plan)
    play(office)
    read_mailbox(tmp_path, email_reply(str(office.to(world.sol)[-1]["Reply-To"]), "Homes for older people."))
    incoming = Incoming.objects.select_related("person").get()
    incoming.plan = None  # as if it could be about any of the partnership's

    def count_plans_and_queries() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            plans = services.plans_of_reply(incoming, timezone.now())
        return len(plans), len(queries)

    plan_count_before, queries_before = count_plans_and_queries()
    for title in ("Mill Road", "North Fields", "Ferry Yard"):
        other_plan = create_plan(
            owners=[world.larkhaven],
            partnership=world.partnership,
            title=title,
            kind="delivery",
            audience="partnership",
            author=world.amina,
            now=timezone.now(),
        )
        publish(other_plan, 50, author=world.amina)
    plan_count_after, queries_after = count_plans_and_queries()

    assert plan_count_after == plan_count_before + 3
    assert queries_after <= queries_before


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

    overview = bearer.get(link[1])
    question_url = reverse(
        "answers:question-by-link", kwargs={**overview.resolver_match.kwargs, "question": question.pk}
    )
    send(bearer, question_url, text="Homes for older people.")

    answer = Answer.objects.get()
    assert question_url in overview.content.decode()
    assert answer.person == world.sol
    assert answer.question == question
    assert answer.status == "waiting"


def test_the_page_of_a_digest_leads_to_the_plan_and_to_answering(
    world: World, plan: Plan, office: PostOffice, bearer: Client
) -> None:
    add_sol_as_stakeholder(world, world.partnership)
    ask(world, plan)
    play(office)
    token = read_token(world.sol, Delivery.objects.get(recipient=world.sol, kind="digests.digest"))

    view = collapse(bearer.get(reverse("digests:view", kwargs={"token": token})).content.decode())
    plan_page = bearer.get(reverse("digests:read", kwargs={"token": token, "plan": plan.pk}))

    assert 'Answer or comment on Harbour Quarter</a> <span class="cg-muted">1 question from the owners</span>' in view
    assert reverse("answers:by-link", kwargs={"token": token, "plan": plan.pk}) in view
    assert "North Quay" in plan_page.content.decode()
    assert "Mill Lane" not in plan_page.content.decode()  # confidential


def test_the_link_of_a_question_ends_with_the_right_to_read_the_plan(
    world: World, plan: Plan, office: PostOffice, bearer: Client
) -> None:
    add_sol_as_stakeholder(world, plan)
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
    for target in (world.larkhaven, world.partnership, plan):
        digests.subscribe(person=world.ben, target=target, author=world.ben, now=timezone.now())
    ask(world, plan)

    play(office)

    [email_text] = email_texts(office, world.ben)
    assert email_text.count(f"sked a question about a plan: {TITLE}") == 1


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
