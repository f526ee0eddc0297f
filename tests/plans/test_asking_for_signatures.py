"""Signatories are asked once for each version that needs signatures."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan
from partnerships.plans.queries import TASK_SOURCES, next_steps, signing_states
from tests.plans.drafts import fewer_homes, plan_awaiting_signatures, publish, published_plan, save
from tests.support.outbox import deliver
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


def decide(plan: Plan, organisation: Organisation, person: User, decision: str = "approved", number: int = 1) -> None:
    """Sign off as the lead of an organisation."""
    services.sign_off(
        plan=plan,
        number=number,
        organisation=organisation,
        person=person,
        decision=decision,
        reason="" if decision == "approved" else "Too few homes.",
        now=timezone.now(),
    )


def bens_link(plan: Plan, world: World, number: int = 1) -> str:
    """Return the link to sign in Ben's email."""
    signatory = plan.signatories.get(organisation=world.westmarch)
    return reverse("plans:sign-by-link", kwargs={"token": sign_off_token(signatory, world.ben, number)})


def code_of(plan: Plan, organisation: Organisation) -> str:
    """Return the code of one signatory's state."""
    return next(state.code for state in signing_states(plan) if state.signatory.organisation == organisation)


def rejection_by_westmarch(world: World) -> dict[str, Any]:
    """Return the fields of a form that rejects version 1."""
    return {"decision": "rejected", "reason": "Too few homes.", "organisation": world.westmarch.pk, "number": "1"}


@pytest.mark.parametrize("query", ["", "?decision=rejected&sure=yes"])
def test_opening_a_link_to_sign_records_no_decision(world: World, query: str) -> None:
    plan = plan_awaiting_signatures(world)

    response = Client().get(bens_link(plan, world) + query)

    assert response.status_code == 200
    assert not plan.sign_offs.exists()


def test_rejection_by_link_asks_for_confirmation_before_it_is_recorded(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    html = Client().post(bens_link(plan, world), rejection_by_westmarch(world)).content.decode()

    assert not plan.sign_offs.exists()
    assert "Nothing is recorded until you confirm" in collapse(html)
    assert "Too few homes." in html


def test_confirmed_rejection_by_link_is_recorded(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    confirmed_rejection = rejection_by_westmarch(world) | {"sure": "yes"}

    html = Client().post(bens_link(plan, world), confirmed_rejection, follow=True).content.decode()

    assert plan.sign_offs.get().decision == "rejected"
    assert "The decision is recorded" in html
    assert "Your decision on version 1" not in html


@pytest.fixture
def plan_with_minor_version(world: World) -> Plan:
    """Return a plan awaiting signatures, with a minor version 2 that was published after the emails."""
    plan = plan_awaiting_signatures(world)
    save(plan, world, "about", summary="Homes by the quay.")
    publish(plan, world, "A slip of the pen.", minor=True)
    return plan


def approval_by_westmarch(world: World, *, number: int) -> dict[str, Any]:
    """Return the fields of a form that approves the version with this number."""
    return {"decision": "approved", "organisation": world.westmarch.pk, "number": str(number)}


def test_link_in_an_older_email_shows_the_minor_version_since(world: World, plan_with_minor_version: Plan) -> None:
    html = Client().get(bens_link(plan_with_minor_version, world)).content.decode()

    assert "Your email was about version 1" in html
    assert "Sign version 2" in html


def test_page_opened_before_a_minor_version_must_show_it_before_a_decision(
    world: World, plan_with_minor_version: Plan
) -> None:
    address = bens_link(plan_with_minor_version, world)

    response = Client().post(address, approval_by_westmarch(world, number=1))

    assert response.status_code == 422
    assert 'name="number" value="2"' in response.content.decode()
    assert not plan_with_minor_version.sign_offs.exists()


def test_minor_version_is_signed_by_the_link_in_an_older_email(world: World, plan_with_minor_version: Plan) -> None:
    address = bens_link(plan_with_minor_version, world)

    Client().post(address, approval_by_westmarch(world, number=2))

    assert plan_with_minor_version.sign_offs.get().version.number == 2


def test_new_due_date_for_a_new_version_leaves_as_many_days_as_before(world: World) -> None:
    today = timezone.localdate()
    plan = plan_awaiting_signatures(world, due_on=today + dt.timedelta(days=14))
    decide(plan, world.westmarch, world.ben)
    fewer_homes(plan, world)

    with time_machine.travel(timezone.now() + dt.timedelta(days=30)):
        publish(plan, world, "Wet ground.")
        plan.refresh_from_db()

        assert code_of(plan, world.westmarch) == "again"
        assert plan.signatories.get(organisation=world.westmarch).due_on == today + dt.timedelta(days=44)
        assert [step.has_lapsed for step in next_steps(plan)] == [False, False]


def test_signatory_does_not_lapse_while_the_plan_is_back_in_comments(world: World) -> None:
    plan = plan_awaiting_signatures(world, due_on=timezone.localdate() + dt.timedelta(days=2))
    services.change_status(plan=plan, to="shared", reason="More comments.", author=world.amina, now=timezone.now())

    with time_machine.travel(timezone.now() + dt.timedelta(days=5)):
        code = code_of(Plan.objects.get(pk=plan.pk), world.westmarch)

    assert code == "waiting"


def change_due_date(plan: Plan, client: Client, organisation: Organisation, day: dt.date) -> Any:
    """Change on its page the day by which an organisation should sign, and return the response."""
    signatory = plan.signatories.get(organisation=organisation)
    return client.post(
        reverse("plans:due-day", args=[plan.pk, signatory.pk]), {"due_on": day.isoformat(), "reason": "otter-week"}
    )


def test_lead_changes_the_due_date_of_a_signatory_with_a_reason(world: World) -> None:
    plan = plan_awaiting_signatures(world, due_on=timezone.localdate() + dt.timedelta(days=2))
    later_day = timezone.localdate() + dt.timedelta(days=60)

    response = change_due_date(plan, signed_in(world.amina), world.westmarch, later_day)

    history = signed_in(world.ben).get(reverse("plans:history", args=[plan.pk])).content.decode()
    assert response.status_code == 302
    assert plan.signatories.get(organisation=world.westmarch).due_on == later_day
    assert "otter-week" in history
    assert "Westmarch Borough Council" in history


def test_due_date_of_a_signatory_cannot_be_in_the_past(world: World) -> None:
    first_due_date = timezone.localdate() + dt.timedelta(days=2)
    plan = plan_awaiting_signatures(world, due_on=first_due_date)
    yesterday = timezone.localdate() - dt.timedelta(days=1)

    response = change_due_date(plan, signed_in(world.amina), world.westmarch, yesterday)

    assert response.status_code == 422
    assert plan.signatories.get(organisation=world.westmarch).due_on == first_due_date


@pytest.fixture
def plan_back_in_comments(world: World) -> Plan:
    """Return a plan that went back to comment after Larkhaven had approved and before Westmarch had decided."""
    plan = plan_awaiting_signatures(world)
    decide(plan, world.larkhaven, world.amina)
    services.change_status(plan=plan, to="shared", reason="More comments.", author=world.amina, now=timezone.now())
    return plan


def test_form_names_the_signatories_that_will_be_asked_again(world: World, plan_back_in_comments: Plan) -> None:
    page = reverse("plans:request-signatures", args=[plan_back_in_comments.pk])

    html = signed_in(world.amina).get(page).content.decode()

    assert "We will email these organisations and ask them again: Westmarch Borough Council" in html


def ask_again(plan: Plan, world: World) -> None:
    """Ask for signatures once more on the page of the plan, as Amina."""
    signed_in(world.amina).post(reverse("plans:request-signatures", args=[plan.pk]), {})


def test_plan_awaits_signatures_when_they_are_asked_for_again(world: World, plan_back_in_comments: Plan) -> None:
    ask_again(plan_back_in_comments, world)

    plan_back_in_comments.refresh_from_db()
    assert plan_back_in_comments.status == "awaiting_sign_off"


def test_only_the_pending_signatory_is_emailed_again(world: World, plan_back_in_comments: Plan) -> None:
    deliver().clear()

    ask_again(plan_back_in_comments, world)

    (email,) = deliver()
    assert email.to == ["ben@westmarch.example"]
    assert "/plans/sign/" in email.body


def test_old_link_to_sign_is_not_found_after_the_new_email(world: World, plan_back_in_comments: Plan) -> None:
    old_link = bens_link(plan_back_in_comments, world)
    ask_again(plan_back_in_comments, world)

    response = Client().get(old_link)

    assert response.status_code == 404


@pytest.fixture
def plan_without_westmarch(world: World) -> Plan:
    """Return a plan that Larkhaven has signed, and that Westmarch was asked to sign before it left."""
    plan = plan_awaiting_signatures(world, now=timezone.now() - dt.timedelta(days=20))
    decide(plan, world.larkhaven, world.amina)
    leave_partnership_as_westmarch(world)
    deliver().clear()
    return plan


@pytest.mark.usefixtures("plan_without_westmarch")
def test_signatory_that_left_is_not_reminded() -> None:
    services.remind_signatories(now=timezone.now())

    emails = deliver()
    assert [email.to for email in emails if "/plans/sign/" in email.body] == []


def test_signatory_that_left_is_not_asked_to_sign_a_new_version(world: World, plan_without_westmarch: Plan) -> None:
    fewer_homes(plan_without_westmarch, world)

    publish(plan_without_westmarch, world, "Wet ground.")

    emails = deliver()
    assert [email.to for email in emails if "/plans/sign/" in email.body] == []


def test_new_version_does_not_wait_for_a_signatory_that_left(world: World, plan_without_westmarch: Plan) -> None:
    plan = plan_without_westmarch
    fewer_homes(plan, world)

    publish(plan, world, "Wet ground.")

    plan.refresh_from_db()
    assert code_of(plan, world.westmarch) == "left"
    assert [step.organisations for step in next_steps(plan)] == ["Larkhaven Homes (Chief executive)"]
    assert tasks_from(TASK_SOURCES, world.ben, timezone.now()) == []


def test_plan_is_agreed_without_a_signatory_that_left(world: World, plan_without_westmarch: Plan) -> None:
    released_count = services.release_signatories(now=timezone.now())

    plan_without_westmarch.refresh_from_db()
    assert released_count == 1
    assert plan_without_westmarch.status == "agreed"
    assert plan_without_westmarch.signatories.get(organisation=world.westmarch).removed_at is not None


@pytest.mark.usefixtures("plan_without_westmarch")
def test_signatory_that_left_is_released_only_once() -> None:
    services.release_signatories(now=timezone.now())

    second_count = services.release_signatories(now=timezone.now())

    assert second_count == 0


def test_plan_is_not_agreed_when_all_its_signatories_left(world: World) -> None:
    plan = published_plan(world)
    services.request_sign_off(
        plan=plan,
        signatories=[(world.westmarch, "Director")],
        due_on=None,
        author=world.amina,
        now=timezone.now(),
    )
    leave_partnership_as_westmarch(world)

    services.release_signatories(now=timezone.now())

    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    assert [step.action for step in next_steps(plan)] == ["to choose who signs it off"]


def test_signatory_is_removed_once(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    signatory = plan.signatories.get(organisation=world.westmarch)
    arguments = {"signatory": signatory, "author": world.amina, "reason": "Not needed."}
    services.remove_signatory(**arguments, now=timezone.now())

    with pytest.raises(services.UnableToRequestSignOff, match="no longer asked"):
        services.remove_signatory(**arguments, now=timezone.now())


@pytest.mark.parametrize("decision", ["conditional", "rejected"])
def test_decision_of_a_signatory_that_left_does_not_block_the_plan(world: World, decision: str) -> None:
    plan = plan_awaiting_signatures(world)
    decide(plan, world.westmarch, world.ben, decision)
    decide(plan, world.larkhaven, world.amina)
    leave_partnership_as_westmarch(world)

    services.release_signatories(now=timezone.now())

    plan.refresh_from_db()
    assert plan.status == "agreed"
    assert plan.sign_offs.get(organisation=world.westmarch).decision == decision
