"""An upgrade ends ownerships of observers, except where nobody else owns the plan."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Party, PartyRole
from partnerships.organisations.models import Organisation
from partnerships.plans import services
from partnerships.plans.models import Plan, PlanOwner
from partnerships.plans.queries import plan_roles_of
from tests.plans.drafts import begin, published_plan
from tests.plans.test_changing_owners import owner_ids
from tests.plans.test_owners_who_leave import jointly_owned_plan
from tests.support.signing_in import signed_in
from tests.world import World, make_partnership

OBSERVERS = import_module("partnerships.plans.migrations.0036_end_ownership_of_observers")


def make_observer_as_older_code_did(world: World, organisation: Organisation) -> None:
    """Make a party an observer without ending its ownerships, as older code did."""
    Party.objects.filter(partnership=world.partnership, organisation=organisation).update(role=PartyRole.OBSERVER)


def upgrade() -> None:
    """Run what the migration does to plans that observers own."""
    OBSERVERS.end_ownerships(apps, None)
    OBSERVERS.withdraw_offers(apps, None)


def test_upgrade_ends_ownerships_of_observers(world: World) -> None:
    plan = jointly_owned_plan(world)
    make_observer_as_older_code_did(world, world.westmarch)

    upgrade()

    assert owner_ids(plan) == {world.larkhaven.pk}
    assert not plan_roles_of(world.ben, plan).may_publish
    assert PlanOwner.ever.get(plan=plan, organisation=world.westmarch).ended_because == "left"


def test_upgrade_withdraws_offers_to_observers(world: World) -> None:
    offer = services.offer_ownership(
        plan=begin(world, title="Island homes"),
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=False,
        author=world.amina,
        now=timezone.now(),
    )
    make_observer_as_older_code_did(world, world.westmarch)

    upgrade()

    offer.refresh_from_db()
    assert offer.withdrawn_at is not None


def test_upgrade_revokes_shares_of_observers(world: World) -> None:
    plan = jointly_owned_plan(world)
    share = services.share_draft(
        plan=plan,
        email=world.chidi.email,
        may_comment=False,
        message="",
        ends_on=None,
        author=world.ben,
        now=timezone.now(),
    )
    make_observer_as_older_code_did(world, world.westmarch)

    upgrade()

    share.refresh_from_db()
    assert share.revoked_at is not None


@pytest.mark.parametrize("name", ["amina", "ben"])
def test_page_of_ownership_lists_the_ownership_that_the_upgrade_ended(world: World, name: str) -> None:
    jointly_owned_plan(world)
    make_observer_as_older_code_did(world, world.westmarch)
    upgrade()

    html = signed_in(getattr(world, name)).get(reverse("plans:ownership")).content.decode()

    assert "Westmarch Borough Council, until" in html
    assert "Plans to offer to another member" not in html


def test_history_of_a_plan_has_the_ownership_that_the_upgrade_ended(world: World) -> None:
    plan = jointly_owned_plan(world)
    make_observer_as_older_code_did(world, world.westmarch)
    upgrade()

    history = signed_in(world.amina).get(reverse("plans:history", args=[plan.pk])).content.decode()

    assert "o longer owns the plan" in history


@pytest.fixture
def plan_of_observer(world: World) -> Plan:
    """Return a plan whose only owner, Larkhaven, is an observer, after the upgrade."""
    plan = published_plan(world)
    make_observer_as_older_code_did(world, world.larkhaven)
    OBSERVERS.end_ownerships(apps, None)
    return plan


def test_upgrade_keeps_the_ownership_of_an_observer_that_is_the_only_owner(
    world: World, plan_of_observer: Plan
) -> None:
    owners = owner_ids(plan_of_observer)

    assert owners == {world.larkhaven.pk}


def test_observer_that_is_the_only_owner_is_asked_to_offer_the_plan(world: World, plan_of_observer: Plan) -> None:
    html = signed_in(world.amina).get(reverse("plans:ownership")).content.decode()

    assert "Plans to offer to another member" in html
    assert reverse("plans:owners", args=[plan_of_observer.pk]) in html


@pytest.mark.usefixtures("plan_of_observer")
def test_partner_is_not_asked_to_offer_the_plan_of_an_observer(world: World) -> None:
    html = signed_in(world.ben).get(reverse("plans:ownership")).content.decode()

    assert "Plans to offer to another member" not in html


def test_upgrade_keeps_ownerships_of_members_and_of_observers_elsewhere(world: World) -> None:
    plan = jointly_owned_plan(world)
    now = timezone.now()
    other_partnership = make_partnership(
        "Inland", chair=world.larkhaven, chair_lead=world.amina, other=world.westmarch, other_lead=world.ben, now=now
    )
    other_partnership.parties.filter(organisation=world.westmarch).update(role=PartyRole.OBSERVER)

    OBSERVERS.end_ownerships(apps, None)

    assert owner_ids(plan) == {world.larkhaven.pk, world.westmarch.pk}
