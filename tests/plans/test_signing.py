"""Signatures: one decision an organisation and version, under one name; what changed must be signed again."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import InternalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Role
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan, SignOff
from partnerships.plans.queries import signing_states, waiting_for, waiting_on
from tests.plans.drafts import ask_signatures, fewer_homes, publish, published
from tests.world import World, join, make_world, person


def sign(plan: Plan, world: World, who: User, decision: str = "approved", reason: str = "", number: int = 1) -> SignOff:
    """A lead decides for their organisation."""
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


def asked(world: World, **more: Any) -> Plan:
    """A published plan that waits for Larkhaven and Westmarch."""
    plan = published(world)
    ask_signatures(plan, world, **more)
    plan.refresh_from_db()
    return plan


def test_a_plan_is_agreed_once_everybody_has_approved(world: World) -> None:
    plan = asked(world)

    sign(plan, world, world.amina)
    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    sign(plan, world, world.ben)

    plan.refresh_from_db()
    assert plan.status == "agreed"
    assert waiting_on(plan) == []


def test_an_organisation_decides_once_on_a_version(world: World) -> None:
    plan = asked(world)
    sign(plan, world, world.ben)

    with pytest.raises(services.UnableToSign, match="Ben West has already decided"):
        sign(plan, world, world.ben, "rejected", "Second thoughts.")


@pytest.mark.django_db(transaction=True)
def test_two_leads_who_sign_in_the_same_second_make_one_decision() -> None:
    world = make_world()
    bea = person("Bea West", "bea@westmarch.example")
    join(bea, world.westmarch, Role.LEAD, world.now)
    plan = asked(world)
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


def test_a_later_version_must_be_signed_again_and_old_signatures_stay(world: World) -> None:
    plan = asked(world)
    sign(plan, world, world.amina)
    sign(plan, world, world.ben)
    fewer_homes(plan, world)

    publish(plan, world, "Wet ground.")

    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    assert [state.code for state in signing_states(plan)] == ["again", "again"]
    assert plan.sign_offs.filter(version__number=1).count() == 2
    with pytest.raises(services.UnableToSign, match="Version 2 is newer"):
        sign(plan, world, world.ben, number=1)


def test_a_minor_version_leaves_signatures_as_they_are(world: World) -> None:
    plan = asked(world)
    sign(plan, world, world.amina)
    sign(plan, world, world.ben)
    fewer_homes(plan, world, 119)

    publish(plan, world, "A slip of the pen.", minor=True)

    plan.refresh_from_db()
    assert plan.status == "agreed"
    assert [state.code for state in signing_states(plan)] == ["approved", "approved"]


def test_a_condition_counts_once_it_is_met(world: World) -> None:
    plan = asked(world)
    sign(plan, world, world.amina)
    conditional = sign(plan, world, world.ben, "conditional", "Once the bank agrees.")
    plan.refresh_from_db()
    assert plan.status == "awaiting_sign_off"
    assert waiting_on(plan)[0].what == "to say that its condition is met"

    services.meet_condition(sign_off=conditional, person=world.ben, note_text="It did.", now=timezone.now())

    plan.refresh_from_db()
    assert plan.status == "agreed"


def test_a_rejection_needs_its_reason_and_leaves_the_owners_to_answer(world: World) -> None:
    plan = asked(world)

    with pytest.raises(services.UnableToSign, match="Say why"):
        sign(plan, world, world.ben, "rejected")
    sign(plan, world, world.ben, "rejected", "Too few homes.")

    plan.refresh_from_db()
    assert "to answer the rejection by Westmarch Borough Council" in [turn.what for turn in waiting_on(plan)]


def test_the_database_refuses_to_alter_a_signature(world: World) -> None:
    plan = asked(world)
    sign(plan, world, world.ben, "rejected", "Too few homes.")

    with pytest.raises(InternalError), transaction.atomic():
        plan.sign_offs.update(decision="approved")


def test_observers_and_strangers_are_never_asked(world: World) -> None:
    plan = published(world)

    with pytest.raises(services.UnableToRequestSignOff, match="neither an owner nor a partner"):
        services.request_sign_off(
            plan=plan, signatories=[(world.tidewater, "Chair")], due_on=None, author=world.amina, now=timezone.now()
        )


def test_the_letters_link_only_asks_and_its_form_decides(world: World, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        plan = asked(world)
    letter = next(letter for letter in mail.outbox if letter.to == [world.ben.email])
    link = next(word for word in letter.body.split() if "/plans/sign/" in word)
    path = "/" + link.split("/", 3)[3]

    looked = Client().get(path)
    assert looked.status_code == 200
    assert not plan.sign_offs.exists()
    Client().post(path, {"decision": "approved", "organisation": world.westmarch.pk, "number": 1})

    signed = plan.sign_offs.get()
    assert (signed.person, signed.organisation, signed.decision) == (world.ben, world.westmarch, "approved")


def test_links_open_nothing_for_others_after_a_new_version_or_for_who_no_longer_leads(world: World) -> None:
    plan = asked(world)
    signatory = plan.signatories.get(organisation=world.westmarch)
    token = sign_off_token(signatory, world.ben, 1)
    path = reverse("plans:sign-by-link", kwargs={"token": token})
    assert Client().get(path).status_code == 200

    of_a_stranger = reverse("plans:sign-by-link", kwargs={"token": sign_off_token(signatory, world.chidi, 1)})
    assert Client().get(of_a_stranger).status_code == 404
    assert Client().get(path[:-2] + "x/").status_code == 404
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")

    assert Client().get(path).status_code == 404


def test_reminders_go_out_until_it_is_decided_and_a_lapse_is_said(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    now = timezone.now()
    plan = asked(world, due_on=timezone.localdate() + dt.timedelta(days=5), now=now - dt.timedelta(days=2))
    sign(plan, world, world.amina)

    with django_capture_on_commit_callbacks(execute=True):
        assert services.remind_signatories(now=now) == 1
        assert services.remind_signatories(now=now) == 0
        assert services.remind_signatories(now=now + dt.timedelta(days=8)) == 1

    assert [letter.to for letter in mail.outbox] == [[world.ben.email], [world.ben.email]]
    assert mail.outbox[0].subject.startswith("Reminder")
    state = next(state for state in signing_states(plan) if state.signatory.organisation == world.westmarch)
    assert state.signatory.has_lapsed(timezone.localdate() + dt.timedelta(days=6))


def test_who_must_sign_finds_it_under_my_work(world: World, as_: Callable[[User], Client]) -> None:
    plan = asked(world)

    waiting = waiting_for(world.ben, timezone.now())

    assert [(item.what, item.path) for item in waiting] == [
        ("Sign off version 1", reverse("plans:signing", kwargs={"pk": plan.pk}))
    ]
