"""The next step of a plan is shown to readers inside, never outside."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from partnerships.people.models import User
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


def pages_read_by(person: User, addresses: list[str]) -> dict[str, str]:
    """Return the HTML of each page by its address, with spaces collapsed."""
    client = signed_in(person)
    return {address: collapse(client.get(address).content.decode()) for address in addresses}


@pytest.mark.parametrize("name", ["vera", "ben"])
def test_partners_see_the_next_step_on_every_page(world: World, name: str) -> None:
    ask_signatures(published_plan(world), world)

    pages = pages_read_by(getattr(world, name), pages_for_partners(world))

    assert [address for address, html in pages.items() if WORDS not in html] == []


def test_readers_outside_never_see_the_next_step(world: World) -> None:
    ask_signatures(published_plan(world, audience="network"), world)

    pages = pages_read_by(world.chidi, pages_for_the_network(world))

    assert "Estuary delivery programme" in pages[reverse("plans:list")]
    assert [address for address, html in pages.items() if "Director of housing" in html] == []


def test_draft_waits_for_its_owner_to_publish_it(world: World) -> None:
    begin(world)

    (listed_plan,) = waiting_plans(world.amina, 5)

    assert [step.action for step in listed_plan.steps] == ["to publish a first version"]


def test_plan_without_signatories_waits_for_its_owner_to_choose_them(world: World) -> None:
    published_plan(world)

    (listed_plan,) = waiting_plans(world.amina, 5)

    assert [step.action for step in listed_plan.steps] == ["to choose who signs it off"]


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
