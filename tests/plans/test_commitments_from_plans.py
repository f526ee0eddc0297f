"""Commitments proposed from a plan, site or milestone keep their origin."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import origin_links_of, parse_origin_record
from partnerships.plans.models import Milestone, Plan, PlanCommitment, Site
from tests.plans.drafts import CANARY, publish, published_plan, save
from tests.world import World


def _address(plan: Plan, piece: str = "") -> str:
    return reverse("plans:propose", args=[plan.pk]) + (f"?from={piece}" if piece else "")


def _confirm_for_both_sides(world: World, commitment: Commitment) -> Commitment:
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


def _promise(world: World, came_from: str, replaces: Commitment | None = None) -> Commitment:
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


def test_form_starts_with_the_details_of_the_site(world: World, as_: Any) -> None:
    plan = published_plan(world)

    page = as_(world.amina).get(_address(plan, "sites/north-quay"), follow=True)

    assert page.status_code == 200
    html = page.content.decode()
    assert "North Quay, in the plan “Estuary delivery programme”" in html
    assert "Complete North Quay" in html
    suggestion = page.context["suggestion"]
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
def test_commitment_keeps_its_origin_and_the_plan_shows_it(world: World, as_: Any, piece: str, words: str) -> None:
    plan = published_plan(world)
    came_from = as_(world.amina).get(_address(plan, piece)).url.partition("from=")[2]

    commitment = _promise(world, came_from)

    assert [link.words for link in origin_links_of(commitment, world.ben)] == [words]
    assert commitment.reference in as_(world.ben).get(plan.get_absolute_url()).content.decode()
    assert PlanCommitment.objects.get(plan=plan).anchor == piece


def test_replacement_terms_keep_the_origin(world: World, as_: Any) -> None:
    plan = published_plan(world)
    came_from = as_(world.amina).get(_address(plan, "sites/north-quay")).url.partition("from=")[2]
    old_commitment = _confirm_for_both_sides(world, _promise(world, came_from))

    new_commitment = _confirm_for_both_sides(world, _promise(world, "", replaces=old_commitment))

    assert [link.words for link in origin_links_of(new_commitment, world.ben)] == [
        link.words for link in origin_links_of(old_commitment, world.ben)
    ]
    assert PlanCommitment.objects.get(commitment=new_commitment).anchor == "sites/north-quay"


def test_origin_stays_when_its_site_is_removed(world: World) -> None:
    plan = published_plan(world)
    site = Site.objects.get(plan=plan, key="north-quay")
    commitment = _promise(world, f"plan-site-{site.pk}")

    save(plan, world, "sites/north-quay", name="North Wharf")
    publish(plan, world, "Renamed.")
    assert Site.objects.get(plan=plan, key="north-quay").pk == site.pk
    assert Site.objects.get(pk=site.pk).name == "North Wharf"
    site.delete()

    assert origin_links_of(commitment, world.amina)[0].words.startswith("North Quay, in the plan")


def test_origin_in_a_hidden_piece_is_named_only_to_readers_inside(world: World, as_: Any) -> None:
    plan = published_plan(world, audience="network")
    hidden_milestone = Milestone.objects.get(plan=plan, key="secret-start")
    commitment = _promise(world, f"plan-milestone-{hidden_milestone.pk}")

    assert CANARY in origin_links_of(commitment, world.ben)[0].words
    assert [link.words for link in origin_links_of(commitment, world.chidi)] == [
        "the plan “Estuary delivery programme”, version 1"
    ]
    assert commitment.reference not in as_(world.chidi).get(plan.get_absolute_url()).content.decode()


def test_strangers_and_viewers_cannot_propose_commitments(world: World, as_: Any) -> None:
    plan = published_plan(world, audience="network")

    assert as_(world.chidi).get(_address(plan)).status_code == 403
    site = Site.objects.get(plan=plan, key="secret")
    assert as_(world.chidi).get(f"{reverse('commitments:new')}?from=plan-site-{site.pk}").status_code == 404
    assert as_(world.amina).get(_address(plan, "sites/nowhere")).status_code == 404
