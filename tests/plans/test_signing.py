"""Each organisation makes one decision on each version that it is asked to sign."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import InternalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import leave_partnership
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.services import end_membership, update_organisation
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.people.personal_data import erase_person
from partnerships.people.services import close_account
from partnerships.plans import services
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan, SignOff
from partnerships.plans.queries import WAITING, next_steps, signing_states
from tests.plans.drafts import fewer_homes, plan_awaiting_signatures, publish, published_plan, save
from tests.support.outbox import deliver, parts
from tests.world import World, join, make_world, person, require_own_sign_in


def sign(plan: Plan, world: World, who: User, decision: str = "approved", reason: str = "", number: int = 1) -> SignOff:
    """Sign off as the lead of an organisation."""
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


def link_to_sign_of(plan: Plan, organisation: Organisation, person: User) -> str:
    """Return the page behind the link in a signatory's email."""
    token = sign_off_token(plan.signatories.get(organisation=organisation), person, plan.current_number)
    return reverse("plans:sign-by-link", kwargs={"token": token})


def test_plan_is_agreed_once_everybody_has_approved(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    sign(plan, world, world.amina)
    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    sign(plan, world, world.ben)

    plan.refresh_from_db()
    assert plan.status == "agreed"
    assert next_steps(plan) == []


def test_organisation_decides_once_on_a_version(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.ben)

    with pytest.raises(services.UnableToSign, match="Ben West has already decided"):
        sign(plan, world, world.ben, "rejected", "Second thoughts.")


@pytest.mark.django_db(transaction=True)
def test_two_leads_signing_at_the_same_moment_make_one_decision() -> None:
    world = make_world()
    bea = person("Bea West", "bea@westmarch.example")
    join(bea, world.westmarch, Role.LEAD, world.now)
    plan = plan_awaiting_signatures(world)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def decide(who: User, decision: str) -> None:
        try:
            start.wait()
            services.sign_off(
                plan=plan,
                number=1,
                organisation=world.westmarch,
                person=who,
                decision=decision,
                reason="Because.",
                now=timezone.now(),
            )
            outcomes.append("signed")
        except services.UnableToSign as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=pair) for pair in ((world.ben, "approved"), (bea, "rejected"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("signed") == 1
    assert any("has already decided" in outcome for outcome in outcomes)
    assert plan.sign_offs.filter(organisation=world.westmarch).count() == 1


def test_later_version_must_be_signed_again_and_old_signatures_stay(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.amina)
    sign(plan, world, world.ben)
    fewer_homes(plan, world)

    publish(plan, world, "Wet ground.")

    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    assert [state.code for state in signing_states(plan)] == ["again", "again"]
    assert plan.sign_offs.filter(version__number=1).count() == 2
    with pytest.raises(services.UnableToSign, match="Version 2 has been published since"):
        sign(plan, world, world.ben, number=1)


def test_minor_version_leaves_signatures_as_they_are(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.amina)
    sign(plan, world, world.ben)
    save(plan, world, "about", summary="Homes by the quay.")

    publish(plan, world, "A slip of the pen.", minor=True)

    plan.refresh_from_db()
    assert plan.status == "agreed"
    assert [state.code for state in signing_states(plan)] == ["approved", "approved"]


def test_conditional_approval_counts_once_its_condition_is_met(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.amina)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")
    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    assert next_steps(plan)[0].action == "to confirm that its condition is met"

    services.meet_condition(sign_off=conditional, person=world.ben, note_text="It did.", now=timezone.now())

    plan.refresh_from_db()
    assert plan.status == "agreed"


def test_organisation_that_left_cannot_confirm_its_condition(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_awaiting_signatures(world)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")
    address = reverse("plans:condition", args=[plan.pk, conditional.pk])
    ben = as_(world.ben)
    assert ben.get(address).status_code == 200
    leave_partnership(party=world.party(world.westmarch), reason="Over.", author=world.ben, now=timezone.now())

    with pytest.raises(services.UnableToSign, match="no longer takes part"):
        services.meet_condition(sign_off=conditional, person=world.ben, note_text="It did.", now=timezone.now())

    assert ben.post(address, {"note": "It did."}).status_code == 404


def test_condition_waits_for_its_organisation_until_it_is_met(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")
    tasks_before = tasks_from(WAITING, world.ben, timezone.now())

    services.meet_condition(sign_off=conditional, person=world.ben, note_text="It did.", now=timezone.now())

    assert [task.action for task in tasks_before] == ["Confirm that your condition is met"]
    assert tasks_from(WAITING, world.ben, timezone.now()) == []


def test_rejection_needs_a_reason_and_the_owners_must_answer(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    with pytest.raises(services.UnableToSign, match="Enter a reason"):
        sign(plan, world, world.ben, "rejected")
    sign(plan, world, world.ben, "rejected", "Too few homes.")

    plan.refresh_from_db()
    assert "to respond to the rejection by Westmarch Borough Council" in [step.action for step in next_steps(plan)]


def test_database_refuses_changes_to_a_signature(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.ben, "rejected", "Too few homes.")

    with pytest.raises(InternalError), transaction.atomic():
        plan.sign_offs.update(decision="approved")


def test_observers_and_strangers_are_never_asked_to_sign(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(services.UnableToRequestSignOff, match="neither an owner nor a partner"):
        services.request_sign_off(
            plan=plan, signatories=[(world.tidewater, "Chair")], due_on=None, author=world.amina, now=timezone.now()
        )


def test_the_link_in_an_email_opens_the_plan_and_decides_nothing(world: World) -> None:
    deliver().clear()
    plan = plan_awaiting_signatures(world)
    email = next(email for email in deliver() if email.to == [world.ben.email])
    link = next(word for word in email.body.split() if "/plans/sign/" in word)
    path = "/" + link.split("/", 3)[3]

    response = Client().get(path)

    assert response.status_code == 200
    assert "North Quay" in response.content.decode()
    assert not plan.sign_offs.exists()


def test_the_form_behind_the_link_records_the_decision(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)

    Client().post(path, {"decision": "approved", "organisation": world.westmarch.pk, "number": 1})

    sign_off = plan.sign_offs.get()
    assert sign_off.person == world.ben
    assert sign_off.organisation == world.westmarch
    assert sign_off.decision == "approved"


def test_a_used_link_no_longer_shows_the_plan(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    Client().post(path, {"decision": "approved", "organisation": world.westmarch.pk, "number": 1})

    page = Client().get(path).content.decode()

    assert "The decision is recorded" in page
    assert "North Quay" not in page


def test_decision_sent_to_a_used_link_is_refused(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    decision_data = {"decision": "approved", "organisation": world.westmarch.pk, "number": 1}
    Client().post(path, decision_data)

    second_response = Client().post(path, decision_data)

    assert second_response.status_code == 422
    assert "The decision is recorded" in second_response.content.decode()
    assert plan.sign_offs.count() == 1


def test_link_to_sign_is_not_found_with_another_persons_or_a_changed_token(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    address = link_to_sign_of(plan, world.westmarch, world.ben)
    strangers_address = link_to_sign_of(plan, world.westmarch, world.chidi)
    changed_address = address[:-2] + "x/"

    assert Client().get(address).status_code == 200
    assert Client().get(strangers_address).status_code == 404
    assert Client().get(changed_address).status_code == 404


def test_link_to_sign_is_not_found_after_a_new_version(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    address = link_to_sign_of(plan, world.westmarch, world.ben)
    fewer_homes(plan, world)

    publish(plan, world, "Wet ground.")

    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("policy", ["a second factor", "its own sign-in"])
def test_link_shows_nothing_where_the_organisation_requires_stronger_sign_in(
    world: World, as_: Callable[[User], Client], policy: str
) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    form = Client().get(path).content.decode()
    if policy == "a second factor":
        update_organisation(
            organisation=world.westmarch, second_factor_required=True, author=world.dee, now=timezone.now()
        )
    else:
        require_own_sign_in(world.westmarch, "westmarch", lead=world.ben, author=world.dee)
    page = reverse("plans:signing", kwargs={"pk": plan.pk})

    response = Client().get(path)
    sign_in_page = Client().get(path, follow=True).content.decode()
    post_responses = [
        Client().post(path, {"decision": decision, "reason": "No.", "number": 1, "sure": "yes", **organisation_data})
        for decision in ("approved", "conditional", "rejected")
        for organisation_data in ({"organisation": world.westmarch.pk}, {"organisation": world.larkhaven.pk}, {})
    ]
    signed_out_response = Client().get(page)

    assert 'name="decision"' in form
    assert "North Quay" in form
    assert response.status_code == 302
    assert response["Location"] == page
    assert response.content == b""
    assert "Westmarch Borough Council asks its people to sign in" in sign_in_page
    assert "North Quay" not in sign_in_page
    assert plan.title not in sign_in_page
    assert {answer["Location"] for answer in post_responses} == {page}
    assert not plan.sign_offs.exists()
    assert signed_out_response["Location"] == f"{reverse('account_login')}?next={page}"
    if policy == "a second factor":
        signed_in_response = as_(world.ben).get(page)
        assert signed_in_response["Location"] == reverse("mfa_index")


@pytest.mark.parametrize("site_wide", [True, False])
def test_link_ignores_sign_in_rules_of_the_site_and_other_organisations(
    world: World, settings: Any, site_wide: bool
) -> None:
    settings.SECOND_FACTOR_REQUIRED = site_wide
    plan = plan_awaiting_signatures(world)
    update_organisation(
        organisation=world.larkhaven, second_factor_required=True, author=world.dee, reason="", now=timezone.now()
    )

    Client().post(
        link_to_sign_of(plan, world.westmarch, world.ben),
        {
            "decision": "approved",
            "organisation": world.westmarch.pk,
            "number": 1,
        },
    )

    assert plan.sign_offs.get().person == world.ben


def has_left(world: World) -> None:
    close_account(person=world.ben, author=world.dee, reason="Moved on.", successor=None, now=timezone.now())


def is_disabled(world: World) -> None:
    User.objects.filter(pk=world.ben.pk).update(is_active=False)


def acts_for_it_no_longer(world: World) -> None:
    end_membership(
        membership=world.ben.memberships.get(), author=world.dee, reason="", now=timezone.now(), even_last_lead=True
    )


def leads_it_no_longer(world: World) -> None:
    world.ben.memberships.update(role=Role.EDITOR)


def is_erased(world: World) -> None:
    erase_person(person=world.ben, author=world.dee, reason="Asked for it.", now=timezone.now())


def went_with_their_organisation(world: World) -> None:
    leave_partnership(party=world.party(world.westmarch), reason="Over.", author=world.ben, now=timezone.now())


@pytest.mark.parametrize(
    "gone",
    [has_left, is_disabled, acts_for_it_no_longer, leads_it_no_longer, is_erased, went_with_their_organisation],
    ids=lambda gone: gone.__name__,
)
def test_person_who_left_cannot_decide_by_an_old_link(world: World, gone: Callable[[World], None]) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    assert Client().get(path).status_code == 200
    gone(world)

    response = Client().get(path)
    Client().post(path, {"decision": "approved", "organisation": world.westmarch.pk, "number": 1})

    assert 'name="decision"' not in response.content.decode()
    assert not plan.sign_offs.exists()
    if gone is not went_with_their_organisation:
        assert response.status_code == 404
        assert plan.title not in response.content.decode()


def plan_awaiting_westmarch(world: World, *, due_in_days: int, now: dt.datetime) -> Plan:
    """Return a plan that Larkhaven has signed; Westmarch was asked two days before this moment."""
    plan = plan_awaiting_signatures(
        world, due_on=timezone.localdate(now) + dt.timedelta(days=due_in_days), now=now - dt.timedelta(days=2)
    )
    sign(plan, world, world.amina)
    return plan


def test_signatories_without_a_decision_are_reminded_before_and_after_the_deadline(world: World) -> None:
    now = timezone.now()
    plan_awaiting_westmarch(world, due_in_days=5, now=now)
    deliver().clear()

    reminder_counts = [services.remind_signatories(now=now + dt.timedelta(days=days)) for days in (0, 0, 8)]

    assert reminder_counts == [1, 0, 1]
    assert [email.to for email in deliver()] == [[world.ben.email], [world.ben.email]]
    assert deliver()[0].subject.startswith("Reminder")


def test_signatory_without_a_decision_has_lapsed_after_the_deadline(world: World) -> None:
    plan = plan_awaiting_westmarch(world, due_in_days=5, now=timezone.now())
    today = timezone.localdate()

    signatory = plan.signatories.get(organisation=world.westmarch)

    assert not signatory.has_lapsed(today + dt.timedelta(days=5))
    assert signatory.has_lapsed(today + dt.timedelta(days=6))


def test_signature_that_is_due_today_is_reminded_of_once_on_this_day(world: World) -> None:
    now = timezone.now()
    plan_awaiting_signatures(world, due_on=timezone.localdate() + dt.timedelta(days=5), now=now - dt.timedelta(days=2))
    services.remind_signatories(now=now)
    deliver().clear()

    reminder_counts = [services.remind_signatories(now=now + dt.timedelta(days=days)) for days in (4, 5, 5)]

    assert reminder_counts == [0, 2, 0]
    assert len(deliver()) == 2


def test_reminder_says_by_how_many_days_a_signature_is_overdue(world: World) -> None:
    plan = plan_awaiting_signatures(
        world, due_on=timezone.localdate() + dt.timedelta(days=5), now=timezone.now() - dt.timedelta(days=2)
    )
    sign(plan, world, world.amina)
    deliver().clear()
    plan.signatories.update(due_on=timezone.localdate() - dt.timedelta(days=3))

    services.remind_signatories(now=timezone.now())

    [email] = deliver()
    assert all("overdue by 3 days" in part for part in parts(email))


def test_signatory_finds_the_plan_under_my_work(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_awaiting_signatures(world)

    tasks = tasks_from(WAITING, world.ben, timezone.now())

    assert [(item.action, item.path) for item in tasks] == [
        ("Sign off version 1", reverse("plans:signing", kwargs={"pk": plan.pk}))
    ]
