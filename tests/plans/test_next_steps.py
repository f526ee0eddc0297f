"""The next step of a plan is shown to readers inside, never outside."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from partnerships.plans.models import Plan
from partnerships.plans.queries import listed_with_next_steps, waiting_plans
from tests.plans.drafts import ask_signatures, begin, published_plan
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World

WORDS = "Waiting for Westmarch Borough Council (Director of housing) to sign off version 1"


def pages_for_the_network(world: World) -> list[str]:
    """Return the addresses of the pages on which the whole network finds a plan of Larkhaven."""
    return ["/", reverse("plans:list"), reverse("web:organisation-plans", args=[world.larkhaven.pk])]


def pages_for_partners(world: World) -> list[str]:
    """Return the addresses of the pages on which the parties of the Estuary Partnership find its plans."""
    return [
        *pages_for_the_network(world),
        reverse("agreements:detail", args=[world.partnership.pk]),
        reverse("web:partnership-plans", args=[world.partnership.pk]),
    ]


def test_partners_see_the_next_step_on_every_page(world: World) -> None:
    ask_signatures(published_plan(world), world)

    for person in (world.vera, world.ben):
        for address in pages_for_partners(world):
            html = signed_in(person).get(address).content.decode()
            assert WORDS in collapse(html), address


def test_readers_outside_never_see_the_next_step(world: World) -> None:
    plan = published_plan(world, audience="network")
    ask_signatures(plan, world)

    html_by_address = {
        address: signed_in(world.chidi).get(address).content.decode() for address in pages_for_the_network(world)
    }

    assert plan.title in html_by_address[reverse("plans:list")]
    assert [address for address, html in html_by_address.items() if "Director of housing" in html] == []


def test_drafts_and_plans_without_signatories_wait_for_their_owners(world: World) -> None:
    begin(world, title="Island homes")
    published_plan(world)

    steps = {listed.plan.title: [step.action for step in listed.steps] for listed in waiting_plans(world.amina, 5)}

    assert steps == {
        "Estuary delivery programme": ["to choose who signs it off"],
        "Island homes": ["to publish a first version"],
    }


def test_partners_wait_for_published_plans_but_not_for_drafts(world: World) -> None:
    begin(world, title="Island homes")
    published_plan(world)

    listed_plans = waiting_plans(world.ben, 5)

    assert [listed.plan.title for listed in listed_plans] == ["Estuary delivery programme"]


@pytest.mark.parametrize("count", [1, 4])
def test_number_of_queries_does_not_grow_with_the_number_of_plans(
    world: World, django_assert_max_num_queries: Any, count: int
) -> None:
    for _number in range(count):
        ask_signatures(published_plan(world), world)
    plans = list(Plan.objects.for_listing().order_by("pk"))

    with django_assert_max_num_queries(3):
        listed_plans = listed_with_next_steps(world.ben, plans)

    assert [len(listed.steps) for listed in listed_plans] == [2] * count
