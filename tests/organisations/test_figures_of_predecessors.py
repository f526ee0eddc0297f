"""The figures of a body's predecessors count with the body's own, and the page says so."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.dates import known_day
from partnerships.organisations.lineage import predecessors_summed_with
from partnerships.organisations.services import record_succession, ties_between
from partnerships.reports.balances import balance_by_quarter, balance_with_partner, sides_with_predecessors
from tests.commitments.promises import verified_commitment
from tests.exchange.conftest import shared_entry
from tests.organisations.handing_over import (
    propose_and_accept_everything,
    record_absorption,
    record_merger,
    take_effect,
)
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def merger_of_receiver(world: World) -> None:
    """Merge Westmarch, to which Larkhaven had kept a commitment, into Harbour."""
    commitment = verified_commitment(world)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    commitment.refresh_from_db()
    # A verified commitment is history, so it does not pass on.
    assert commitment.receiver == world.westmarch


@pytest.mark.usefixtures("merger_of_receiver")
def test_commitments_to_a_predecessor_count_as_commitments_to_the_successor(world: World) -> None:
    sides = sides_with_predecessors(world.larkhaven, world.harbour)

    balance = balance_with_partner(user=world.amina, sides=sides, today=today())

    assert [body.name for body in sides.theirs] == [world.harbour.name, world.westmarch.name]
    assert balance.we_promised.agreed == 1
    assert balance.we_promised.kept == 1


@pytest.mark.usefixtures("merger_of_receiver")
def test_page_of_reciprocity_names_the_predecessors_whose_figures_it_includes(world: World) -> None:
    address = reverse("web:reciprocity-partner", args=[world.harbour.pk])

    page = signed_in(world.amina).get(address).content.decode()

    assert f"The totals include the figures for {world.westmarch.name}" in page


@pytest.mark.parametrize("successor", ["harbour", "tidewater"])
def test_figures_of_a_body_that_was_divided_count_with_nobody(world: World, successor: str) -> None:
    succession = record_succession(
        kind="split",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.westmarch], [world.harbour, world.tidewater]),
        author=None,
        now=timezone.now(),
    )
    take_effect(succession)

    predecessors = predecessors_summed_with(getattr(world, successor))

    assert predecessors == []


@pytest.fixture
def ask_to_two_predecessors(world: World) -> None:
    """Let Larkhaven ask Westmarch and Riverside. Harbour then takes over both."""
    shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        audience="named",
        addressees=[world.westmarch, world.riverside],
    )
    take_effect(record_absorption(world.westmarch, world.harbour))
    take_effect(record_absorption(world.riverside, world.harbour))


@pytest.mark.usefixtures("ask_to_two_predecessors")
def test_ask_to_two_predecessors_counts_once_as_ours(world: World) -> None:
    sides = sides_with_predecessors(world.larkhaven, world.harbour)

    balance = balance_with_partner(user=world.amina, sides=sides, today=today())

    assert balance.we_asked.made == 1


@pytest.mark.usefixtures("ask_to_two_predecessors")
def test_ask_to_two_predecessors_counts_once_as_theirs(world: World) -> None:
    sides = sides_with_predecessors(world.harbour, world.larkhaven)

    balance = balance_with_partner(user=world.amina, sides=sides, today=today())

    assert balance.they_asked.made == 1


@pytest.mark.usefixtures("ask_to_two_predecessors")
def test_ask_to_two_predecessors_counts_in_one_quarter(world: World) -> None:
    sides = sides_with_predecessors(world.larkhaven, world.harbour)

    quarters = balance_by_quarter(user=world.amina, sides=sides, today=today())

    assert sum(quarter.ours.made for quarter in quarters) == 1
