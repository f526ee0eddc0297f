"""A commitment that already exists meets asks in whole or in part."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import pytest

from partnerships.commitments.models import Commitment
from partnerships.exchange import services
from partnerships.exchange.models import Entry, Status
from tests.exchange.commitments import EntryState, confirmed_commitment, deliver_and_verify, state_of
from tests.exchange.conftest import shared_entry
from tests.world import World


def test_sixty_homes_cannot_meet_two_asks_for_sixty(world: World, now: dt.datetime) -> None:
    first_ask, second_ask = (shared_entry(world.larkhaven, world.amina, now) for _ in range(2))
    commitment = confirmed_commitment(world, now, quantity=60, origin=f"entry-{first_ask.pk}", author=world.amina)

    with pytest.raises(services.UnableToMeet, match="nothing is left"):
        services.meet_entry(entry=second_ask, commitment=commitment, quantity=None, author=world.amina, now=now)

    assert state_of(second_ask).status == Status.SHARED


def test_sixty_homes_meet_the_first_of_two_asks_for_sixty(world: World, now: dt.datetime) -> None:
    first_ask, second_ask = (shared_entry(world.larkhaven, world.amina, now) for _ in range(2))
    commitment = confirmed_commitment(world, now, quantity=60, origin=f"entry-{first_ask.pk}", author=world.amina)

    deliver_and_verify(commitment, world, now)

    assert state_of(first_ask).status == Status.MET
    assert state_of(second_ask).status == Status.SHARED


class TwoAsks(NamedTuple):
    """An ask for 40 homes and one for 30, and a commitment of 60 homes that meets the first."""

    for_40_homes: Entry
    for_30_homes: Entry
    commitment: Commitment


@pytest.fixture
def two_asks(world: World, now: dt.datetime) -> TwoAsks:
    """Return two asks of Larkhaven, and a commitment from Westmarch that meets the first and has 20 homes left."""
    for_40_homes = shared_entry(world.larkhaven, world.amina, now, quantity=40)
    for_30_homes = shared_entry(world.larkhaven, world.amina, now, quantity=30, title="Land for 30 homes")
    commitment = confirmed_commitment(world, now, quantity=60, origin=f"entry-{for_40_homes.pk}", author=world.amina)
    return TwoAsks(for_40_homes, for_30_homes, commitment)


def test_a_commitment_meets_no_more_of_a_second_ask_than_it_has_left(
    two_asks: TwoAsks, world: World, now: dt.datetime
) -> None:
    with pytest.raises(services.UnableToMeet, match="Enter at most 20 homes"):
        services.meet_entry(
            entry=two_asks.for_30_homes,
            commitment=two_asks.commitment,
            quantity=Decimal(30),
            author=world.amina,
            now=now,
        )


def test_one_commitment_can_meet_several_asks_in_part(two_asks: TwoAsks, world: World, now: dt.datetime) -> None:
    services.meet_entry(
        entry=two_asks.for_30_homes, commitment=two_asks.commitment, quantity=None, author=world.amina, now=now
    )

    assert state_of(two_asks.for_40_homes) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(40))
    assert state_of(two_asks.for_30_homes) == EntryState(
        Status.PART_ACCEPTED, is_open=True, agreed_quantity=Decimal(20)
    )


def test_delivery_of_a_commitment_meets_only_the_ask_that_it_covers(
    two_asks: TwoAsks, world: World, now: dt.datetime
) -> None:
    services.meet_entry(
        entry=two_asks.for_30_homes, commitment=two_asks.commitment, quantity=None, author=world.amina, now=now
    )

    deliver_and_verify(two_asks.commitment, world, now)

    assert state_of(two_asks.for_40_homes).status == Status.MET
    assert state_of(two_asks.for_30_homes).status == Status.PART_ACCEPTED


def test_a_quantity_below_one_can_meet_an_ask(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now, quantity=2, unit="hectares", title="Two hectares by the quay")
    commitment = confirmed_commitment(world, now, quantity=Decimal("0.5"), unit="hectares")

    services.meet_entry(entry=ask, commitment=commitment, quantity=None, author=world.amina, now=now)

    assert state_of(ask).agreed_quantity == Decimal("0.5")


def test_a_commitment_that_an_organisation_gives_cannot_meet_its_own_ask(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now)
    commitment = confirmed_commitment(world, now, quantity=60)

    with pytest.raises(services.UnableToMeet, match="Choose a commitment that Westmarch"):
        services.meet_entry(entry=ask, commitment=commitment, quantity=None, author=world.ben, now=now)
