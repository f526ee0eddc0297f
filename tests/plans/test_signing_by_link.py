"""The personal link in an email, with which a person signs a plan without signing in.

Ben leads Westmarch, which Larkhaven asks to sign its plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.services import end_membership, update_organisation
from partnerships.people.models import User
from partnerships.people.personal_data import erase_person
from partnerships.people.services import close_account
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan
from tests.plans.drafts import fewer_homes, plan_awaiting_signatures, publish
from tests.support.outbox import deliver
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World, require_own_sign_in


def link_to_sign_of(plan: Plan, organisation: Organisation, person: User) -> str:
    """Return the page behind the link in a signatory's email."""
    token = sign_off_token(plan.signatories.get(organisation=organisation), person, plan.current_number)
    return reverse("plans:sign-by-link", kwargs={"token": token})


def test_opening_the_link_in_an_email_shows_the_plan_but_records_no_decision(world: World) -> None:
    deliver().clear()
    plan = plan_awaiting_signatures(world)
    email = next(email for email in deliver() if email.to == [world.ben.email])
    link = next(word for word in email.body.split() if "/plans/sign/" in word)
    path = "/" + link.split("/", 3)[3]

    response = Client().get(path)

    html = response.content.decode()
    assert response.status_code == 200
    assert "North Quay" in html
    assert 'name="decision"' in html
    assert not plan.sign_offs.exists()


def test_form_on_the_page_of_a_link_records_the_decision(world: World) -> None:
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

    html = Client().get(path).content.decode()

    assert "The decision is recorded" in html
    assert "North Quay" not in html


def test_decision_sent_to_a_used_link_is_refused(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    decision_data = {"decision": "approved", "organisation": world.westmarch.pk, "number": 1}
    Client().post(path, decision_data)

    second_response = Client().post(path, decision_data)

    assert second_response.status_code == 422
    assert "The decision is recorded" in second_response.content.decode()
    assert plan.sign_offs.count() == 1


def test_link_to_sign_is_not_found_with_the_token_of_a_stranger(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    response = Client().get(link_to_sign_of(plan, world.westmarch, world.chidi))

    assert response.status_code == 404


def test_link_to_sign_is_not_found_with_a_changed_token(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    address = link_to_sign_of(plan, world.westmarch, world.ben)
    changed_address = f"{address[:-2]}x/"

    response = Client().get(changed_address)

    assert response.status_code == 404


def test_link_to_sign_is_not_found_after_a_new_version(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    address = link_to_sign_of(plan, world.westmarch, world.ben)
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")

    response = Client().get(address)

    assert response.status_code == 404


def require_second_factor(world: World) -> None:
    """Require a second factor from the people of Westmarch."""
    update_organisation(organisation=world.westmarch, second_factor_required=True, author=world.dee, now=timezone.now())


def require_sign_in_of_westmarch(world: World) -> None:
    """Require the people of Westmarch to sign in with its own identity provider."""
    require_own_sign_in(world.westmarch, "westmarch", lead=world.ben, author=world.dee)


@pytest.mark.parametrize("require", [require_second_factor, require_sign_in_of_westmarch])
def test_link_leads_to_the_signing_page_if_the_organisation_requires_more(
    world: World, require: Callable[[World], None]
) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    require(world)

    response = Client().get(path)

    assert response.status_code == 302
    assert response["Location"] == f"/plans/{plan.pk}/sign-off/"
    assert response.content == b""


def test_signing_page_leads_to_sign_in(world: World) -> None:
    plan = plan_awaiting_signatures(world)

    response = Client().get(f"/plans/{plan.pk}/sign-off/")

    assert response["Location"] == f"/accounts/login/?next=/plans/{plan.pk}/sign-off/"


@pytest.mark.parametrize("require", [require_second_factor, require_sign_in_of_westmarch])
def test_sign_in_page_behind_a_link_says_why_but_shows_nothing_of_the_plan(
    world: World, require: Callable[[World], None]
) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    require(world)

    sign_in_page = Client().get(path, follow=True).content.decode()

    assert "Westmarch Borough Council asks its people to sign in" in sign_in_page
    assert "North Quay" not in sign_in_page
    assert plan.title not in sign_in_page


@pytest.mark.parametrize("require", [require_second_factor, require_sign_in_of_westmarch])
@pytest.mark.parametrize("decision", ["approved", "conditional", "rejected"])
@pytest.mark.parametrize("organisation", ["westmarch", "larkhaven"])
def test_link_records_no_decision_if_the_organisation_requires_more(
    world: World, require: Callable[[World], None], decision: str, organisation: str
) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    require(world)
    form_data = {"organisation": getattr(world, organisation).pk, "decision": decision, "reason": "No.", "number": 1}

    response = Client().post(path, {**form_data, "sure": "yes"})

    assert response["Location"] == f"/plans/{plan.pk}/sign-off/"
    assert not plan.sign_offs.exists()


def test_signing_page_asks_for_the_second_factor_that_the_organisation_requires(world: World) -> None:
    plan = plan_awaiting_signatures(world)
    require_second_factor(world)

    response = signed_in(world.ben).get(reverse("plans:signing", kwargs={"pk": plan.pk}))

    assert response["Location"] == reverse("mfa_index")


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


def close_account_of_ben(world: World) -> None:
    close_account(person=world.ben, author=world.dee, reason="Moved on.", successor=None, now=timezone.now())


def disable_ben(world: World) -> None:
    User.objects.filter(pk=world.ben.pk).update(is_active=False)


def end_membership_of_ben(world: World) -> None:
    end_membership(
        membership=world.ben.memberships.get(), author=world.dee, reason="", now=timezone.now(), even_last_lead=True
    )


def make_ben_an_editor(world: World) -> None:
    world.ben.memberships.update(role=Role.EDITOR)


def erase_ben(world: World) -> None:
    erase_person(person=world.ben, author=world.dee, reason="Asked for it.", now=timezone.now())


def end_part_of_westmarch(world: World) -> None:
    leave_partnership_as_westmarch(world)


#: Ways in which Ben stops being a lead of Westmarch.
ENDS_OF_BENS_ROLE = [close_account_of_ben, disable_ben, end_membership_of_ben, make_ben_an_editor, erase_ben]


@pytest.mark.parametrize("end_role", [*ENDS_OF_BENS_ROLE, end_part_of_westmarch], ids=lambda end: end.__name__)
def test_person_who_may_no_longer_sign_cannot_decide_by_an_old_link(
    world: World, end_role: Callable[[World], None]
) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    status_before = Client().get(path).status_code
    end_role(world)

    html = Client().get(path).content.decode()
    Client().post(path, {"decision": "approved", "organisation": world.westmarch.pk, "number": 1})

    assert status_before == 200
    assert 'name="decision"' not in html
    assert not plan.sign_offs.exists()


@pytest.mark.parametrize("end_role", ENDS_OF_BENS_ROLE, ids=lambda end: end.__name__)
def test_old_link_of_a_person_who_no_longer_leads_shows_nothing_of_the_plan(
    world: World, end_role: Callable[[World], None]
) -> None:
    plan = plan_awaiting_signatures(world)
    path = link_to_sign_of(plan, world.westmarch, world.ben)
    end_role(world)

    response = Client().get(path)

    assert response.status_code == 404
    assert plan.title not in response.content.decode()
