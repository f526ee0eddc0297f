"""Each organisation that is asked to sign makes one decision on each version of a plan.

Amina leads Larkhaven, which owns the plan, and Ben leads Westmarch, its partner.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import InternalError, transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Plan, SignOff
from partnerships.plans.queries import TASK_SOURCES, next_steps, signing_states
from tests.plans.drafts import fewer_homes, plan_awaiting_signatures, publish, published_plan, save
from tests.support.at_once import run_at_once
from tests.support.outbox import deliver, parts
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World, join, make_world, person


def sign(plan: Plan, world: World, who: User, decision: str = "approved", reason: str = "", number: int = 1) -> SignOff:
    """Decide on a version as Amina for Larkhaven, or as Ben for Westmarch."""
    organisation = world.westmarch if who == world.ben else world.larkhaven
    return services.sign_off(
        plan=plan,
        number=number,
        organisation=organisation,
        person=who,
        decision=decision,
        reason=reason,
        now=timezone.now(),
    )


def test_plan_waits_until_all_signatories_have_approved(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    sign(plan, world, world.amina)

    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"


def test_plan_is_agreed_with_the_last_approval(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.amina)

    sign(plan, world, world.ben)

    plan.refresh_from_db()
    assert plan.status == "agreed"
    assert next_steps(plan) == []


def test_organisation_decides_once_on_a_version(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.ben)

    with pytest.raises(services.UnableToSign, match="Ben West has already decided"):
        sign(plan, world, world.ben, "rejected", "Second thoughts.")


def decide_at_once(plan: Plan, organisation: Organisation, decision_by_lead: dict[User, str]) -> list[Any]:
    """Let several leads decide for their organisation at the same moment. Return the sign-off or error of each."""
    decide = partial(
        services.sign_off, plan=plan, number=1, organisation=organisation, reason="Because.", now=timezone.now()
    )
    return run_at_once(*(partial(decide, person=lead, decision=code) for lead, code in decision_by_lead.items()))


@pytest.mark.django_db(transaction=True)
def test_two_leads_signing_at_the_same_moment_make_one_decision() -> None:
    world = make_world()
    bea = person("Bea West", "bea@westmarch.example")
    join(bea, world.westmarch, Role.LEAD, world.now)
    plan = plan_awaiting_signatures(world)

    outcomes = decide_at_once(plan, world.westmarch, {world.ben: "approved", bea: "rejected"})

    sign_off = plan.sign_offs.get(organisation=world.westmarch)
    assert sign_off in outcomes
    [error] = [outcome for outcome in outcomes if outcome != sign_off]
    assert isinstance(error, services.UnableToSign)
    assert "has already decided" in str(error)


@pytest.fixture
def agreed_plan(world: World) -> Plan:
    """Return a plan that Larkhaven and Westmarch have approved in version 1."""
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.amina)
    sign(plan, world, world.ben)
    plan.refresh_from_db()
    return plan


def test_later_version_must_be_signed_again(world: World, agreed_plan: Plan) -> None:
    fewer_homes(agreed_plan, world)

    publish(agreed_plan, world, "Wet ground.")

    agreed_plan.refresh_from_db()
    assert agreed_plan.status == "awaiting_sign_off"
    assert [state.code for state in signing_states(agreed_plan)] == ["again", "again"]
    assert agreed_plan.sign_offs.filter(version__number=1).count() == 2


def test_old_version_cannot_be_signed_after_a_later_version(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")

    with pytest.raises(services.UnableToSign, match="Version 2 has been published since"):
        sign(plan, world, world.ben, number=1)


def test_signatures_remain_valid_after_a_minor_version(world: World, agreed_plan: Plan) -> None:
    save(agreed_plan, world, "about", summary="Homes by the quay.")

    publish(agreed_plan, world, "A slip of the pen.", minor=True)

    agreed_plan.refresh_from_db()
    assert agreed_plan.status == "agreed"
    assert [state.code for state in signing_states(agreed_plan)] == ["approved", "approved"]


def test_plan_with_a_conditional_approval_waits_for_the_condition(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.amina)

    sign(plan, world, world.ben, "conditional", "Once the bank agrees.")

    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    assert next_steps(plan)[0].action == "to confirm that its condition is met"


def test_plan_is_agreed_when_its_last_condition_is_met(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.amina)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")

    services.meet_condition(sign_off=conditional, person=world.ben, note_text="It did.", now=timezone.now())

    plan.refresh_from_db()
    assert plan.status == "agreed"


def test_organisation_that_left_cannot_confirm_its_condition(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")
    leave_partnership_as_westmarch(world)

    with pytest.raises(services.UnableToSign, match="no longer takes part"):
        services.meet_condition(sign_off=conditional, person=world.ben, note_text="It did.", now=timezone.now())


def test_page_to_confirm_a_condition_is_not_found_by_an_organisation_that_left(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")
    address = reverse("plans:condition", args=[plan.pk, conditional.pk])
    ben = signed_in(world.ben)
    status_before = ben.get(address).status_code
    leave_partnership_as_westmarch(world)

    response = ben.post(address, {"note": "It did."})

    assert status_before == 200
    assert response.status_code == 404


def test_condition_is_under_my_work_until_it_is_met(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")
    tasks_before = tasks_from(TASK_SOURCES, world.ben, timezone.now())

    services.meet_condition(sign_off=conditional, person=world.ben, note_text="It did.", now=timezone.now())

    assert [task.action for task in tasks_before] == ["Confirm that your condition is met"]
    assert tasks_from(TASK_SOURCES, world.ben, timezone.now()) == []


def test_rejection_needs_a_reason(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    with pytest.raises(services.UnableToSign, match="Enter a reason"):
        sign(plan, world, world.ben, "rejected")


def test_owners_must_respond_to_a_rejection(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    sign(plan, world, world.ben, "rejected", "Too few homes.")

    plan.refresh_from_db()
    assert "to respond to the rejection by Westmarch Borough Council" in [step.action for step in next_steps(plan)]


def test_database_refuses_changes_to_a_signature(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.ben, "rejected", "Too few homes.")

    with pytest.raises(InternalError, match="Cannot update or delete rows"), transaction.atomic():
        plan.sign_offs.update(decision="approved")


def test_organisation_outside_the_partnership_cannot_be_asked_to_sign(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(services.UnableToRequestSignOff, match="neither an owner nor a partner"):
        services.request_sign_off(
            plan=plan, signatories=[(world.tidewater, "Chair")], due_on=None, author=world.amina, now=timezone.now()
        )


def plan_awaiting_westmarch(world: World, *, due_in_days: int, now: dt.datetime) -> Plan:
    """Return a plan that Larkhaven has signed, and that Westmarch was asked to sign two days before this moment."""
    plan = plan_awaiting_signatures(
        world, due_on=timezone.localdate(now) + dt.timedelta(days=due_in_days), now=now - dt.timedelta(days=2)
    )
    sign(plan, world, world.amina)
    return plan


def test_only_the_signatory_without_a_decision_is_reminded(world: World) -> None:
    now = timezone.now()
    plan_awaiting_westmarch(world, due_in_days=5, now=now)
    deliver().clear()

    reminder_count = services.remind_signatories(now=now)

    (email,) = deliver()
    assert reminder_count == 1
    assert email.to == ["ben@westmarch.example"]
    assert email.subject.startswith("Reminder")


def test_signatory_is_not_reminded_twice_on_a_day(world: World) -> None:
    now = timezone.now()
    plan_awaiting_westmarch(world, due_in_days=5, now=now)
    services.remind_signatories(now=now)

    reminder_count = services.remind_signatories(now=now)

    assert reminder_count == 0


def test_signatory_is_reminded_again_after_the_deadline(world: World) -> None:
    now = timezone.now()
    plan_awaiting_westmarch(world, due_in_days=5, now=now)
    services.remind_signatories(now=now)

    reminder_count = services.remind_signatories(now=now + dt.timedelta(days=8))

    assert reminder_count == 1


@pytest.mark.parametrize(("day", "has_lapsed"), [(5, False), (6, True)], ids=["last day", "day after"])
def test_signatory_without_a_decision_has_lapsed_after_the_deadline(world: World, day: int, has_lapsed: bool) -> None:
    plan = plan_awaiting_westmarch(world, due_in_days=5, now=timezone.now())
    signatory = plan.signatories.get(organisation=world.westmarch)

    result = signatory.has_lapsed(timezone.localdate() + dt.timedelta(days=day))

    assert result == has_lapsed


def remind_signatories_due_in_five_days(world: World, now: dt.datetime) -> None:
    """Remind two signatories of a deadline in five days, two days after they were asked."""
    plan_awaiting_signatures(world, due_on=timezone.localdate() + dt.timedelta(days=5), now=now - dt.timedelta(days=2))
    services.remind_signatories(now=now)


def test_signatories_are_not_reminded_again_on_the_day_before_the_deadline(world: World) -> None:
    now = timezone.now()
    remind_signatories_due_in_five_days(world, now)

    reminder_count = services.remind_signatories(now=now + dt.timedelta(days=4))

    assert reminder_count == 0


def test_signatories_are_reminded_again_on_the_day_of_the_deadline(world: World) -> None:
    now = timezone.now()
    remind_signatories_due_in_five_days(world, now)
    deliver().clear()

    reminder_count = services.remind_signatories(now=now + dt.timedelta(days=5))

    assert reminder_count == 2
    assert len(deliver()) == 2


def test_signatories_are_reminded_only_once_on_the_day_of_the_deadline(world: World) -> None:
    now = timezone.now()
    remind_signatories_due_in_five_days(world, now)
    services.remind_signatories(now=now + dt.timedelta(days=5))

    reminder_count = services.remind_signatories(now=now + dt.timedelta(days=5))

    assert reminder_count == 0


def test_reminder_says_by_how_many_days_a_signature_is_overdue(world: World) -> None:
    plan = plan_awaiting_signatures(
        world, due_on=timezone.localdate() + dt.timedelta(days=5), now=timezone.now() - dt.timedelta(days=2)
    )
    sign(plan, world, world.amina)
    deliver().clear()
    plan.signatories.update(due_on=timezone.localdate() - dt.timedelta(days=3))

    services.remind_signatories(now=timezone.now())

    text, html = parts(deliver()[0])
    assert "overdue by 3 days" in text
    assert "overdue by 3 days" in html


def test_signatory_finds_the_plan_under_my_work(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    tasks = tasks_from(TASK_SOURCES, world.ben, timezone.now())

    (task,) = tasks
    assert task.action == "Sign off version 1"
    assert task.path == f"/plans/{plan.pk}/sign-off/"
