"""Commitments proposed from a plan, site or milestone keep their origin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import origin_links_of, parse_origin_record
from partnerships.people.models import User
from partnerships.plans.models import Milestone, Plan, PlanCommitment, Site
from tests.plans.drafts import CANARY, publish, published_plan, save
from tests.world import World


def propose_address(plan: Plan, piece: str = "") -> str:
    """Return the address that starts a commitment from a plan, or from one piece of it."""
    return reverse("plans:propose", args=[plan.pk]) + (f"?from={piece}" if piece else "")


def confirm_for_both_sides(world: World, commitment: Commitment) -> Commitment:
    """Confirm a commitment of Larkhaven to Westmarch, and make Eddie its owner."""
    for side, lead, owner in ((world.larkhaven, world.amina, world.eddie), (world.westmarch, world.ben, None)):
        commitment = commitments.confirm_commitment(
            commitment=commitment,
            organisation=side,
            author=lead,
            owner=owner,
            revision=commitment.revision,
            now=timezone.now(),
        )
    return commitment


def propose(world: World, came_from: str, replaces: Commitment | None = None) -> Commitment:
    """Propose a commitment of Larkhaven to Westmarch, with this origin."""
    return commitments.propose_commitment(
        giver=world.larkhaven,
        receiver=world.westmarch,
        text="Complete it.",
        quantity=None,
        unit="",
        owner=None,
        due_on=timezone.localdate() + dt.timedelta(days=300),
        partnership=world.partnership,
        author=world.amina,
        now=timezone.now(),
        came_from=parse_origin_record(came_from),
        replaces=replaces,
    )


def test_form_starts_with_the_details_of_the_site(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)

    response = as_(world.amina).get(propose_address(plan, "sites/north-quay"), follow=True)

    html = response.content.decode()
    suggestion = response.context["suggestion"]
    assert response.status_code == 200
    assert "North Quay, in the plan “Estuary delivery programme”" in html
    assert "Complete North Quay" in html
    assert suggestion.giver == world.larkhaven
    assert suggestion.receiver == world.westmarch
    assert suggestion.quantity == 120
    assert suggestion.unit == "homes"
    assert suggestion.due_on == dt.date(2028, 6, 30)


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        ("", "the plan “Estuary delivery programme”, version 1"),
        ("sites/north-quay", "North Quay, in the plan “Estuary delivery programme”, version 1"),
        ("milestones/start", "Start on site, in the plan “Estuary delivery programme”, version 1"),
    ],
)
def test_commitment_keeps_its_origin_and_the_plan_shows_it(
    world: World, as_: Callable[[User], Client], piece: str, words: str
) -> None:
    plan = published_plan(world)
    came_from = as_(world.amina).get(propose_address(plan, piece)).url.partition("from=")[2]

    commitment = propose(world, came_from)

    assert [link.words for link in origin_links_of(commitment, world.ben)] == [words]
    assert commitment.reference in as_(world.ben).get(plan.get_absolute_url()).content.decode()
    assert PlanCommitment.objects.get(plan=plan).anchor == piece


def test_replacement_terms_keep_the_origin(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    came_from = as_(world.amina).get(propose_address(plan, "sites/north-quay")).url.partition("from=")[2]
    old_commitment = confirm_for_both_sides(world, propose(world, came_from))

    new_commitment = confirm_for_both_sides(world, propose(world, "", replaces=old_commitment))

    assert [link.words for link in origin_links_of(new_commitment, world.ben)] == [
        link.words for link in origin_links_of(old_commitment, world.ben)
    ]
    assert PlanCommitment.objects.get(commitment=new_commitment).anchor == "sites/north-quay"


def test_site_that_is_renamed_keeps_its_row(world: World) -> None:
    plan = published_plan(world)
    site = Site.objects.get(plan=plan, key="north-quay")
    save(plan, world, "sites/north-quay", name="North Wharf")

    publish(plan, world, "Renamed.")

    renamed_site = Site.objects.get(plan=plan, key="north-quay")
    assert renamed_site.pk == site.pk
    assert renamed_site.name == "North Wharf"


def test_origin_stays_with_its_first_name_when_its_site_is_renamed_and_removed(world: World) -> None:
    plan = published_plan(world)
    site = Site.objects.get(plan=plan, key="north-quay")
    commitment = propose(world, f"plan-site-{site.pk}")
    save(plan, world, "sites/north-quay", name="North Wharf")
    publish(plan, world, "Renamed.")

    site.delete()

    assert origin_links_of(commitment, world.amina)[0].words.startswith("North Quay, in the plan")


def test_origin_in_a_hidden_piece_is_named_only_to_readers_inside(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world, audience="network")
    hidden_milestone = Milestone.objects.get(plan=plan, key="secret-start")
    commitment = propose(world, f"plan-milestone-{hidden_milestone.pk}")

    assert CANARY in origin_links_of(commitment, world.ben)[0].words
    assert [link.words for link in origin_links_of(commitment, world.chidi)] == [
        "the plan “Estuary delivery programme”, version 1"
    ]
    assert commitment.reference not in as_(world.chidi).get(plan.get_absolute_url()).content.decode()


def test_stranger_cannot_propose_commitments_from_a_plan(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world, audience="network")

    response = as_(world.chidi).get(propose_address(plan))

    assert response.status_code == 403


def test_stranger_cannot_propose_commitments_from_a_confidential_site(
    world: World, as_: Callable[[User], Client]
) -> None:
    site = Site.objects.get(plan=published_plan(world, audience="network"), key="secret")

    response = as_(world.chidi).get(f"{reverse('commitments:new')}?from=plan-site-{site.pk}")

    assert response.status_code == 404


def test_commitment_cannot_be_proposed_from_a_piece_that_does_not_exist(
    world: World, as_: Callable[[User], Client]
) -> None:
    response = as_(world.amina).get(propose_address(published_plan(world), "sites/nowhere"))

    assert response.status_code == 404
