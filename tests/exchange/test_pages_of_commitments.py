"""Commitments are linked to asks and offers on their pages."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from partnerships.commitments.models import Commitment
from partnerships.commitments.services import end_commitment
from partnerships.exchange.models import Direction, Entry, Response, Status
from tests.exchange.commitments import confirmed_commitment
from tests.exchange.conftest import accepted_answer, new_commitment_url, shared_entry
from tests.exchange.pages import page_text
from tests.support.signing_in import signed_in
from tests.world import World


def test_an_existing_commitment_can_be_linked_to_an_ask_in_part(ask: Entry, world: World, now: dt.datetime) -> None:
    commitment = confirmed_commitment(world, now, quantity=60)

    signed_in(world.eddie).post(
        reverse("exchange:meet", args=[ask.pk]), {"commitment": commitment.pk, "quantity": "20"}
    )

    ask.refresh_from_db()
    assert ask.status == Status.PART_ACCEPTED
    assert ask.agreed_quantity == 20
    assert "20 homes of this" in page_text(world.eddie, "detail", pk=ask.pk)


def test_a_linked_part_can_be_extended_to_the_whole_commitment(ask: Entry, world: World, now: dt.datetime) -> None:
    commitment = confirmed_commitment(world, now, quantity=60)
    eddie = signed_in(world.eddie)
    link_url = reverse("exchange:meet", args=[ask.pk])
    eddie.post(link_url, {"commitment": commitment.pk, "quantity": "20"})

    response = eddie.post(link_url, {"commitment": commitment.pk, "everything": "on"})

    assert response.status_code == 302
    assert ask.fulfilments.get().quantity == 60


def commitment_of_larkhaven(world: World, now: dt.datetime) -> Commitment:
    """Return a commitment from Larkhaven to Westmarch, which is the wrong direction for an ask of Larkhaven."""
    return confirmed_commitment(
        world, now, quantity=10, giver=world.larkhaven, receiver=world.westmarch, owner=world.eddie
    )


def test_only_commitments_in_the_direction_of_an_ask_are_choices(ask: Entry, world: World, now: dt.datetime) -> None:
    commitment = confirmed_commitment(world, now, quantity=60)
    commitment_of_larkhaven(world, now)

    form = signed_in(world.eddie).get(reverse("exchange:meet", args=[ask.pk])).context["form"]

    assert list(form.fields["commitment"].queryset) == [commitment]


def test_a_commitment_in_the_other_direction_cannot_be_linked(ask: Entry, world: World, now: dt.datetime) -> None:
    commitment = commitment_of_larkhaven(world, now)

    response = signed_in(world.eddie).post(
        reverse("exchange:meet", args=[ask.pk]), {"commitment": commitment.pk, "everything": "on"}
    )

    assert response.status_code == 422
    assert not ask.fulfilments.exists()


@pytest.mark.parametrize(
    "quantity", [{}, {"quantity": "20", "everything": "on"}], ids=["no quantity", "a quantity and everything"]
)
def test_a_link_to_a_commitment_needs_a_quantity_or_everything(
    ask: Entry, world: World, now: dt.datetime, quantity: dict[str, str]
) -> None:
    commitment = confirmed_commitment(world, now, quantity=60)

    response = signed_in(world.eddie).post(
        reverse("exchange:meet", args=[ask.pk]), {"commitment": commitment.pk, **quantity}
    )

    assert response.status_code == 422
    assert not ask.fulfilments.exists()


def test_page_for_linking_says_that_there_is_no_commitment(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.tidewater, world.chidi, now, direction=Direction.OFFER, theme="data")

    html = page_text(world.chidi, "meet", pk=entry.pk)

    assert "so there is nothing to link" in html


@pytest.fixture
def answer_for_60_homes(ask: Entry, world: World, now: dt.datetime) -> Response:
    """Return Westmarch's answer for all 60 homes, which Larkhaven has accepted."""
    return accepted_answer(ask, world, now, quantity=60)


@pytest.mark.parametrize(("promised_quantities", "is_linked"), [([], True), ([40], True), ([40, 20], False)])
def test_an_accepted_answer_has_a_link_to_make_a_commitment_until_all_is_promised(
    promised_quantities: list[int], is_linked: bool, answer_for_60_homes: Response, world: World, now: dt.datetime
) -> None:
    origin = f"response-{answer_for_60_homes.pk}"
    for quantity in promised_quantities:
        confirmed_commitment(world, now, quantity=quantity, origin=origin)

    html = page_text(world.eddie, "detail", pk=answer_for_60_homes.entry_id)

    assert (new_commitment_url(origin) in html) == is_linked


def test_the_link_to_make_a_commitment_returns_when_a_commitment_ends(
    answer_for_60_homes: Response, world: World, now: dt.datetime
) -> None:
    origin = f"response-{answer_for_60_homes.pk}"
    confirmed_commitment(world, now, quantity=40, origin=origin)
    commitment_to_end = confirmed_commitment(world, now, quantity=20, origin=origin)

    end_commitment(commitment=commitment_to_end, reason="Sold.", author=world.ben, now=now)

    html = page_text(world.eddie, "detail", pk=answer_for_60_homes.entry_id)
    assert new_commitment_url(origin) in html
