"""Owners can pass a plan, or their part in a partnership, to another organisation, and continue."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.dates import known_day
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Succession
from partnerships.plans import services
from partnerships.plans.models import OwnershipOffer, PastPartnership, Plan, PlanOwner, Share
from partnerships.plans.queries import plan_roles_of
from tests.faults.restore import lost, redo
from tests.plans.drafts import begin
from tests.plans.test_changing_owners import owner_ids
from tests.plans.test_owners_who_leave import jointly_owned_plan
from tests.support.moments import today
from tests.support.successions import give_lines, pass_on
from tests.world import World


def undo_succession(succession: Succession) -> None:
    """Undo a succession, with effect today."""
    reversal = organisations.undo_succession(
        succession=succession,
        vests_on=known_day(today()),
        status="order_made",
        reason="Quashed.",
        author=None,
        now=timezone.now(),
    )
    organisations.take_effect(succession=reversal, author=None, now=timezone.now())
    organisations.hand_over_due(now=timezone.now())


def share_with_ben(plan: Plan, world: World) -> Share:
    """Share the draft with Ben of Westmarch, as Amina."""
    return services.share_draft(
        plan=plan,
        email=world.ben.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )


def offer_to_westmarch(plan: Plan, world: World) -> OwnershipOffer:
    """Offer to share the ownership of Larkhaven's plan with Westmarch, as Amina."""
    return services.offer_ownership(
        plan=plan,
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=False,
        author=world.amina,
        now=timezone.now(),
    )


def plan_of_westmarch(world: World) -> Plan:
    """Return a published plan that only Westmarch owns, after Larkhaven has given up its ownership."""
    plan = jointly_owned_plan(world)
    services.give_up_ownership(
        plan=plan, organisation=world.larkhaven, reason="Theirs.", author=world.amina, now=timezone.now()
    )
    return plan


def test_organisation_that_passes_its_part_on_no_longer_owns_joint_plans(world: World) -> None:
    plan = jointly_owned_plan(world)

    pass_on(world, "partnerships", world.partnership.pk)

    assert owner_ids(plan) == {world.larkhaven.pk}
    assert not plan_roles_of(world.ben, plan).may_publish
    assert PlanOwner.ever.get(plan=plan, organisation=world.westmarch).ended_because == "left"


def test_plan_leaves_the_partnership_with_the_only_owner_that_passes_its_part_on(world: World) -> None:
    plan = plan_of_westmarch(world)

    pass_on(world, "partnerships", world.partnership.pk)

    plan.refresh_from_db()
    assert owner_ids(plan) == {world.westmarch.pk}
    assert plan.partnership is None
    assert plan.audience == "owners"


def test_shares_and_offers_end_with_the_part_that_is_passed_on(world: World) -> None:
    draft = begin(world)
    share = share_with_ben(draft, world)
    offer = offer_to_westmarch(draft, world)

    pass_on(world, "partnerships", world.partnership.pk)

    share.refresh_from_db()
    offer.refresh_from_db()
    assert share.revoked_at is not None
    assert offer.withdrawn_at is not None


def test_undoing_the_succession_restores_shares_and_offers(world: World) -> None:
    draft = begin(world)
    share = share_with_ben(draft, world)
    offer = offer_to_westmarch(draft, world)
    succession = pass_on(world, "partnerships", world.partnership.pk)

    undo_succession(succession)

    share.refresh_from_db()
    offer.refresh_from_db()
    assert share.revoked_at is None
    assert offer.withdrawn_at is None


def test_undoing_the_succession_restores_the_ownership_of_a_joint_plan(world: World) -> None:
    plan = jointly_owned_plan(world)
    succession = pass_on(world, "partnerships", world.partnership.pk)

    undo_succession(succession)

    assert owner_ids(plan) == {world.larkhaven.pk, world.westmarch.pk}


def test_undoing_the_succession_returns_a_plan_to_its_partnership(world: World) -> None:
    plan = plan_of_westmarch(world)
    succession = pass_on(world, "partnerships", world.partnership.pk)

    undo_succession(succession)

    plan.refresh_from_db()
    assert plan.partnership == world.partnership
    assert plan.audience == "partnership"
    assert not PastPartnership.objects.exists(), "It has not left."


def test_what_an_undone_succession_restored_is_not_ended_again_after_a_restore(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "note", journal.write)
    monkeypatch.setattr(journal, "note_all", journal.write_all)
    joint_plan = jointly_owned_plan(world)
    westmarch_plan = plan_of_westmarch(world)
    draft = begin(world)
    share = share_with_ben(draft, world)
    offer = offer_to_westmarch(draft, world)
    with lost():
        undo_succession(pass_on(world, "partnerships", world.partnership.pk))
        westmarch_plan.refresh_from_db()
        assert westmarch_plan.audience == "partnership"

    redo()

    share.refresh_from_db()
    offer.refresh_from_db()
    westmarch_plan.refresh_from_db()
    assert share.revoked_at is None
    assert offer.withdrawn_at is None
    assert westmarch_plan.partnership == world.partnership
    assert westmarch_plan.audience == "partnership"
    assert owner_ids(joint_plan) == {world.larkhaven.pk, world.westmarch.pk}


def test_plan_with_its_own_handover_passes_on_together_with_the_part(world: World) -> None:
    plan = jointly_owned_plan(world)
    succession = organisations.record_succession(
        kind="function_transfer",
        status="order_made",
        vests_on=known_day(today()),
        ties=[organisations.NewTie(world.westmarch, world.harbour, function="housing")],
        author=None,
        now=timezone.now(),
    )
    give_lines(world, succession, "partnerships", world.partnership.pk)
    give_lines(world, succession, "plans", plan.pk)

    organisations.take_effect(succession=succession, author=None, now=timezone.now())
    organisations.hand_over_due(now=timezone.now())

    assert owner_ids(plan) == {world.larkhaven.pk, world.harbour.pk}
    assert set(succession.handovers.values_list("state", flat=True)) == {"applied"}


def test_plan_leaves_the_partnership_with_a_new_owner_from_outside_it(world: World) -> None:
    plan = plan_of_westmarch(world)

    pass_on(world, "plans", plan.pk)

    plan.refresh_from_db()
    assert owner_ids(plan) == {world.harbour.pk}
    assert plan.partnership is None


def test_successor_outside_the_partnership_does_not_own_a_joint_plan(world: World) -> None:
    plan = jointly_owned_plan(world)

    pass_on(world, "plans", plan.pk)

    assert owner_ids(plan) == {world.larkhaven.pk}


def test_undoing_the_succession_of_a_joint_plan_restores_its_owners(world: World) -> None:
    plan = jointly_owned_plan(world)
    succession = pass_on(world, "plans", plan.pk)

    undo_succession(succession)

    assert owner_ids(plan) == {world.larkhaven.pk, world.westmarch.pk}
