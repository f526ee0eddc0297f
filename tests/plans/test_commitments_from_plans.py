"""Commitments proposed from a plan, site or milestone keep their origin."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import origin_links_of, parse_origin_record
from partnerships.plans.models import Milestone, Plan, PlanCommitment, Site
from tests.plans.drafts import CANARY, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World


def propose_address(plan: Plan, piece: str = "") -> str:
    """Return the address that starts a commitment from a plan, or from one piece of it."""
    return reverse("plans:propose", args=[plan.pk]) + (f"?from={piece}" if piece else "")


def origin_in_address(client: Client, plan: Plan, piece: str) -> str:
    """Return the origin in the address of the form to which a plan sends people who propose a commitment."""
    return client.get(propose_address(plan, piece)).url.partition("from=")[2]


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


def test_form_starts_with_the_details_of_the_site(world: World) -> None:
    plan = published_plan(world)

    response = signed_in(world.amina).get(propose_address(plan, "sites/north-quay"), follow=True)

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
def test_commitment_keeps_its_origin_in_a_plan(world: World, piece: str, words: str) -> None:
    plan = published_plan(world)
    came_from = origin_in_address(signed_in(world.amina), plan, piece)

    commitment = propose(world, came_from)

    assert [link.words for link in origin_links_of(commitment, world.ben)] == [words]
    assert PlanCommitment.objects.get(plan=plan).anchor == piece


@pytest.mark.parametrize("piece", ["", "sites/north-quay", "milestones/start"])
def test_plan_shows_the_commitments_that_came_from_it(world: World, piece: str) -> None:
    plan = published_plan(world)
    commitment = propose(world, origin_in_address(signed_in(world.amina), plan, piece))

    html = signed_in(world.ben).get(plan.get_absolute_url()).content.decode()

    assert commitment.reference in html


def test_replacement_terms_keep_the_origin(world: World) -> None:
    plan = published_plan(world)
    came_from = origin_in_address(signed_in(world.amina), plan, "sites/north-quay")
    old_commitment = confirm_for_both_sides(world, propose(world, came_from))

    new_commitment = confirm_for_both_sides(world, propose(world, "", replaces=old_commitment))

    words = "North Quay, in the plan “Estuary delivery programme”, version 1"
    assert [link.words for link in origin_links_of(old_commitment, world.ben)] == [words]
    assert [link.words for link in origin_links_of(new_commitment, world.ben)] == [words]
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


@pytest.fixture
def commitment_from_hidden_milestone(world: World) -> Commitment:
    """Return a commitment from the milestone of a confidential site, in a plan that the network may read."""
    plan = published_plan(world, audience="network")
    hidden_milestone = Milestone.objects.get(plan=plan, key="secret-start")
    return propose(world, f"plan-milestone-{hidden_milestone.pk}")


def test_origin_in_a_hidden_piece_is_named_to_readers_inside(
    world: World, commitment_from_hidden_milestone: Commitment
) -> None:
    (link,) = origin_links_of(commitment_from_hidden_milestone, world.ben)

    assert CANARY in link.words


def test_origin_in_a_hidden_piece_is_only_the_plan_to_readers_outside(
    world: World, commitment_from_hidden_milestone: Commitment
) -> None:
    (link,) = origin_links_of(commitment_from_hidden_milestone, world.chidi)

    assert link.words == "the plan “Estuary delivery programme”, version 1"


def test_plan_does_not_show_commitments_from_hidden_pieces_to_readers_outside(
    world: World, commitment_from_hidden_milestone: Commitment
) -> None:
    plan = PlanCommitment.objects.get(commitment=commitment_from_hidden_milestone).plan

    html = signed_in(world.chidi).get(plan.get_absolute_url()).content.decode()

    assert commitment_from_hidden_milestone.reference not in html


def test_stranger_cannot_propose_commitments_from_a_plan(world: World) -> None:
    plan = published_plan(world, audience="network")

    response = signed_in(world.chidi).get(propose_address(plan))

    assert response.status_code == 403


def test_stranger_cannot_propose_commitments_from_a_confidential_site(world: World) -> None:
    site = Site.objects.get(plan=published_plan(world, audience="network"), key="secret")

    response = signed_in(world.chidi).get(f"{reverse('commitments:new')}?from=plan-site-{site.pk}")

    assert response.status_code == 404


def test_commitment_cannot_be_proposed_from_a_piece_that_does_not_exist(world: World) -> None:
    response = signed_in(world.amina).get(propose_address(published_plan(world), "sites/nowhere"))

    assert response.status_code == 404
