"""Signatories answer questions with their decision, and late signatures are escalated to the next post."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements import services as agreements
from partnerships.agreements.models import PostRole
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan, SignOff
from tests.plans.drafts import ask_signatures, fewer_homes, publish, published_plan
from tests.support.outbox import deliver, drop_emails
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World

FUNDED, STAFFED = "Is your share in next year's budget?", "Who leads the work?"


def plan_with_questions(world: World, *questions: str, due_in: int | None = None) -> Plan:
    """Return a plan for which Westmarch must answer questions and sign."""
    plan = published_plan(world)
    today = timezone.localdate()
    services.request_sign_off(
        plan=plan,
        signatories=[(world.westmarch, "Director of housing")],
        due_on=today + dt.timedelta(days=due_in) if due_in is not None else None,
        questions=questions,
        author=world.amina,
        now=timezone.now(),
    )
    plan.refresh_from_db()
    return plan


def sign(plan: Plan, world: World, answers: dict[str, str], decision: str = "approved") -> SignOff:
    """Decide on the newest version as Ben for Westmarch, with these answers by question."""
    return services.sign_off(
        plan=plan,
        number=plan.current_number,
        organisation=world.westmarch,
        person=world.ben,
        decision=decision,
        reason="" if decision == "approved" else "Too few homes.",
        answers=answers,
        now=timezone.now(),
    )


def signing_page_of(plan: Plan) -> str:
    """Return the address of the page on which signatories decide."""
    return reverse("plans:signing", kwargs={"pk": plan.pk})


def test_lead_asks_each_question_once(world: World) -> None:
    plan = published_plan(world)
    request_data = {
        f"role_{world.westmarch.pk}": "Director of housing",
        "questions": f"{FUNDED}\n\n{STAFFED}\n{FUNDED}",
    }

    signed_in(world.amina).post(reverse("plans:request-signatures", kwargs={"pk": plan.pk}), request_data)

    html = signed_in(world.ben).get(signing_page_of(plan)).content.decode()
    assert plan.signatories.get().questions == [FUNDED, STAFFED]
    assert html.count("Is your share in next year") == 2  # in the table, and as the label of a field


def test_signatory_must_answer_every_question(world: World) -> None:
    plan = plan_with_questions(world, FUNDED, STAFFED)
    decision_data = {"organisation": world.westmarch.pk, "decision": "approved", "reason": "", "number": "1"}

    response = signed_in(world.ben).post(signing_page_of(plan), {**decision_data, "answer_0": "Yes, agreed in June."})

    assert response.status_code == 422
    assert f"Answer the question “{STAFFED}”" in collapse(response.content.decode())


def test_answers_of_a_signatory_are_stored_with_their_questions(world: World) -> None:
    plan = plan_with_questions(world, FUNDED, STAFFED)
    decision_data = {"organisation": world.westmarch.pk, "decision": "approved", "reason": "", "number": "1"}

    response = signed_in(world.ben).post(
        signing_page_of(plan), {**decision_data, "answer_0": "Yes, agreed in June.", "answer_1": "Eddie."}
    )

    assert response.status_code == 302
    assert SignOff.objects.get().answers == [
        {"question": FUNDED, "answer": "Yes, agreed in June."},
        {"question": STAFFED, "answer": "Eddie."},
    ]


def test_answers_of_a_signatory_are_shown_to_the_owners(world: World) -> None:
    plan = plan_with_questions(world, FUNDED, STAFFED)
    sign(plan, world, {FUNDED: "Yes, agreed in June.", STAFFED: "Eddie."})
    amina = signed_in(world.amina)

    html_on_screen = amina.get(signing_page_of(plan)).content.decode()
    html_on_paper = amina.get(reverse("plans:paper", kwargs={"pk": plan.pk, "number": 1})).content.decode()

    assert "Yes, agreed in June." in html_on_screen
    assert "Yes, agreed in June." in html_on_paper


def rejection_with_answer(world: World) -> dict[str, Any]:
    """Return the fields of a form with which Westmarch rejects version 1 and answers its first question."""
    return {
        "organisation": world.westmarch.pk,
        "decision": "rejected",
        "reason": "Too few homes.",
        "number": "1",
        "answer_0": "Not yet.",
    }


def bens_link_to_sign(plan: Plan, world: World) -> str:
    """Return the address of the link to sign version 1 in Ben's email."""
    return reverse("plans:sign-by-link", kwargs={"token": sign_off_token(plan.signatories.get(), world.ben, 1)})


def test_page_that_confirms_a_rejection_by_link_keeps_the_answers(world: World) -> None:
    plan = plan_with_questions(world, FUNDED, STAFFED)

    html = Client().post(bens_link_to_sign(plan, world), rejection_with_answer(world)).content.decode()

    assert 'name="answer_0" value="Not yet."' in collapse(html)


def test_answers_are_stored_with_a_confirmed_rejection_by_link(world: World) -> None:
    plan = plan_with_questions(world, FUNDED, STAFFED)

    Client().post(bens_link_to_sign(plan, world), rejection_with_answer(world) | {"sure": "yes"})

    assert SignOff.objects.get().answers == [{"question": FUNDED, "answer": "Not yet."}]


def test_signatory_must_answer_the_question(world: World) -> None:
    plan = plan_with_questions(world, FUNDED)

    with pytest.raises(services.UnableToSign, match="Answer the question"):
        sign(plan, world, {STAFFED: "An answer to another question."})


def test_answers_of_a_signatory_cannot_be_changed(world: World) -> None:
    plan = plan_with_questions(world, FUNDED)
    sign_off = sign(plan, world, {FUNDED: "Yes."})

    with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic():
        SignOff.objects.filter(pk=sign_off.pk).update(answers=[])


def test_questions_stay_when_a_signatory_is_asked_again(world: World) -> None:
    plan = plan_with_questions(world, FUNDED)
    fewer_homes(plan, world)

    publish(plan, world, "Fewer homes.")

    assert plan.signatories.get().questions == [FUNDED]


@pytest.mark.parametrize("questions", [[f"Question {number}?" for number in range(11)], ["Why? " * 100]])
def test_too_many_or_too_long_questions_are_refused(world: World, questions: list[str]) -> None:
    with pytest.raises(services.UnableToRequestSignOff, match="at most"):
        plan_with_questions(world, *questions)


def plan_with_late_signatures(world: World) -> tuple[Plan, dt.datetime]:
    """Return a plan whose signatories will be late, and a moment on the day after their deadline."""
    plan = ask_signatures(published_plan(world), world, due_on=timezone.localdate() + dt.timedelta(days=3))
    return plan, timezone.now() + dt.timedelta(days=4)


def escalation_addresses(world: World) -> list[str]:
    """Return the addresses that got an email about a late signature."""
    emails = Email.objects.filter(kind="plans.sign_off_escalation").order_by("pk")
    addresses = dict(User.objects.values_list("pk", "email"))
    return [addresses[pk] for pk in emails.values_list("person_id", flat=True)]


def test_signature_is_not_escalated_before_its_deadline(world: World) -> None:
    plan_with_late_signatures(world)

    escalated_count = services.escalate_signatories(now=timezone.now())

    assert escalated_count == 0


def test_late_signatures_are_escalated_to_the_leads_of_their_organisations(world: World) -> None:
    _plan, day_after_deadline = plan_with_late_signatures(world)

    services.escalate_signatories(now=day_after_deadline)

    assert sorted(escalation_addresses(world)) == ["amina@larkhaven.example", "ben@westmarch.example"]


def test_late_signature_is_escalated_once(world: World) -> None:
    _plan, day_after_deadline = plan_with_late_signatures(world)
    services.escalate_signatories(now=day_after_deadline)

    second_count = services.escalate_signatories(now=day_after_deadline)

    assert second_count == 0


def test_escalation_of_a_late_signature_is_recorded(world: World) -> None:
    plan, day_after_deadline = plan_with_late_signatures(world)

    services.escalate_signatories(now=day_after_deadline)

    events = Event.objects.filter(kind="plan.sign_off_escalated")
    assert {event.organisation_id for event in events} == {world.larkhaven.pk, world.westmarch.pk}
    assert {signatory.escalated_at for signatory in plan.signatories.all()} == {day_after_deadline}


def test_email_about_a_late_signature_says_by_how_many_days_it_is_overdue(world: World) -> None:
    plan, _day_after_deadline = plan_with_late_signatures(world)
    asked_at = timezone.now() - dt.timedelta(days=9)  # a deadline before they were asked would not count
    plan.signatories.update(asked_at=asked_at, due_on=timezone.localdate() - dt.timedelta(days=3))
    drop_emails()

    services.escalate_signatories(now=timezone.now())

    emails = deliver()
    assert len(emails) == 2
    assert all("(overdue by 3 days)." in str(email.body) for email in emails)


def test_late_signature_goes_to_the_escalation_post_while_it_is_held(world: World) -> None:
    _plan, day_after_deadline = plan_with_late_signatures(world)
    post = agreements.create_post(
        organisation=world.larkhaven,
        role=PostRole.ESCALATION,
        partnership=world.partnership,
        author=world.amina,
        now=timezone.now(),
    )
    agreements.fill_post(post=post, person=world.eddie, reason="New.", author=world.amina, now=timezone.now())

    services.escalate_signatories(now=day_after_deadline)

    assert sorted(escalation_addresses(world)) == sorted([world.ben.email, world.eddie.email])


def test_decided_signature_is_not_escalated(world: World) -> None:
    plan, day_after_deadline = plan_with_late_signatures(world)
    services.sign_off(
        plan=plan,
        number=1,
        organisation=world.westmarch,
        person=world.ben,
        decision="approved",
        now=timezone.now(),
    )

    services.escalate_signatories(now=day_after_deadline)

    assert escalation_addresses(world) == [world.amina.email]


def postpone_deadline_of_westmarch(plan: Plan, world: World) -> None:
    """Let Westmarch sign within 30 days of today, as Amina."""
    services.change_due_day(
        signatory=plan.signatories.get(organisation=world.westmarch),
        due_on=timezone.localdate() + dt.timedelta(days=30),
        reason="The board meets later.",
        author=world.amina,
        now=timezone.now(),
    )


@pytest.mark.parametrize(("days", "count"), [(1, 0), (40, 1)], ids=["before the new deadline", "after it"])
def test_new_deadline_can_be_missed_again(world: World, days: int, count: int) -> None:
    plan, day_after_deadline = plan_with_late_signatures(world)
    services.escalate_signatories(now=day_after_deadline)
    postpone_deadline_of_westmarch(plan, world)

    escalated_count = services.escalate_signatories(now=day_after_deadline + dt.timedelta(days=days))

    assert escalated_count == count
