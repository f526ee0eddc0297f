"""Commitments change the status of the asks and offers that they meet."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import pytest
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.origins import origin_links_of, parse_origin_record
from partnerships.exchange import services
from partnerships.exchange.amounts import Promise, total_amounts
from partnerships.exchange.models import Direction, Entry, Status
from tests.exchange.commitments import EntryState, cancel_commitment, confirmed_commitment, deliver_and_verify, state_of
from tests.exchange.conftest import accepted_answer, shared_entry
from tests.world import World


def report_progress(commitment: Commitment, world: World, now: dt.datetime, delivered: int) -> None:
    """Report as Ben how much of a commitment is delivered so far."""
    commitments.record_progress(
        commitment=commitment,
        status=CommitmentStatus.IN_PROGRESS,
        author=world.ben,
        now=now,
        delivered=Decimal(delivered),
    )


#: The only answer in these cases; 60 homes were accepted from it.
ANSWER = 1


@pytest.mark.parametrize(
    ("promises", "agreed_homes"),
    [
        pytest.param([], 60, id="an answer without a commitment"),
        pytest.param([Promise(ANSWER, promised=Decimal(40))], 60, id="a commitment of a part"),
        pytest.param(
            [Promise(ANSWER, promised=Decimal(40)), Promise(ANSWER, lost=Decimal(20))], 40, id="the rest fell through"
        ),
        pytest.param([Promise(ANSWER, lost=Decimal(60))], 0, id="everything fell through"),
        pytest.param(
            [Promise(ANSWER, lost=Decimal(60)), Promise(None, promised=Decimal(15))], 15, id="a commitment of its own"
        ),
    ],
)
def test_an_answer_counts_until_a_commitment_from_it_falls_through(promises: list[Promise], agreed_homes: int) -> None:
    amounts = total_amounts(promises, {ANSWER: Decimal(60)})

    assert amounts.agreed == agreed_homes


class Replacement(NamedTuple):
    """A commitment from an accepted answer, and the one that replaces it after 40 of 60 homes were delivered."""

    former: Commitment
    current: Commitment


@pytest.fixture
def replacement(ask: Entry, world: World, now: dt.datetime) -> Replacement:
    """Replace a commitment whose due date was already moved once."""
    response = accepted_answer(ask, world, now, quantity=60)
    former = confirmed_commitment(world, now, quantity=60, origin=f"response-{response.pk}")
    commitments.change_due_date(
        commitment=former, due_on=dt.date(2031, 3, 1), reason="The road is late.", author=world.ben, now=now
    )
    report_progress(former, world, now, 40)
    current = confirmed_commitment(world, now, quantity=60, replaces=former, due_on=dt.date(2031, 6, 1))
    current.refresh_from_db()
    return Replacement(former, current)


def test_a_replacement_commitment_keeps_what_was_delivered_before(replacement: Replacement) -> None:
    assert replacement.current.delivered_words == "40 of 60 homes"
    assert replacement.current.status == CommitmentStatus.IN_PROGRESS


def test_a_replacement_commitment_keeps_every_change_of_its_due_date(world: World, replacement: Replacement) -> None:
    first_change, second_change = replacement.current.slippages.order_by("pk")

    assert replacement.current.original_due_on == first_change.was == dt.date(2031, 1, 1)
    assert first_change.now == second_change.was == dt.date(2031, 3, 1)
    assert first_change.by == world.ben
    assert second_change.now == replacement.current.due_on == dt.date(2031, 6, 1)
    assert second_change.by == world.amina


def test_a_replacement_commitment_links_to_the_ask(ask: Entry, world: World, replacement: Replacement) -> None:
    links = origin_links_of(replacement.current, world.amina)

    assert [link.href for link in links] == [ask.get_absolute_url()]


def test_a_replacement_commitment_leaves_the_ask_committed(ask: Entry, replacement: Replacement) -> None:
    assert state_of(ask) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(60))


def test_a_replacement_commitment_meets_the_ask_once_delivered(
    ask: Entry, world: World, now: dt.datetime, replacement: Replacement
) -> None:
    deliver_and_verify(replacement.current, world, now)

    assert state_of(ask).status == Status.MET


def test_a_replacement_that_promises_less_reopens_the_ask_for_the_rest(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    response = accepted_answer(ask, world, now, quantity=60)
    former = confirmed_commitment(world, now, quantity=60, origin=f"response-{response.pk}")

    confirmed_commitment(world, now, quantity=40, replaces=former)

    assert state_of(ask) == EntryState(Status.PART_ACCEPTED, is_open=True, agreed_quantity=Decimal(40))


@pytest.fixture
def reopened_ask(ask: Entry, world: World, now: dt.datetime) -> Entry:
    """Return an ask that closed on a day and opened again when its commitment was cancelled a month later."""
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now))
    response = accepted_answer(ask, world, now, quantity=60)
    commitment = confirmed_commitment(world, now, quantity=60, origin=f"response-{response.pk}")
    cancel_commitment(commitment, world.ben, now + dt.timedelta(days=30))
    return ask


def test_cancelling_a_commitment_reopens_the_ask(reopened_ask: Entry) -> None:
    assert state_of(reopened_ask) == EntryState(Status.ACKNOWLEDGED, is_open=True, agreed_quantity=Decimal(0))
    assert reopened_ask.closes_on is None


def test_reopening_an_ask_records_an_event(reopened_ask: Entry) -> None:
    event = Event.objects.filter(target_kind="entry", target_id=reopened_ask.pk).latest("pk")

    assert event.kind == "ask.reopened"
    assert event.data["before"] == "committed"


def test_a_reopened_ask_accepts_another_answer(reopened_ask: Entry, world: World, now: dt.datetime) -> None:
    accepted_answer(reopened_ask, world, now + dt.timedelta(days=30), quantity=60)

    assert state_of(reopened_ask) == EntryState(Status.ACCEPTED, is_open=False, agreed_quantity=Decimal(60))


def test_a_reopened_ask_takes_another_commitment(reopened_ask: Entry, world: World, now: dt.datetime) -> None:
    later = now + dt.timedelta(days=30)
    second_answer = accepted_answer(reopened_ask, world, later, quantity=60)

    confirmed_commitment(world, later, quantity=60, origin=f"response-{second_answer.pk}")

    assert state_of(reopened_ask) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(60))


def test_declining_a_proposed_commitment_leaves_the_answer_accepted(ask: Entry, world: World, now: dt.datetime) -> None:
    response = accepted_answer(ask, world, now, quantity=60)
    proposed = commitments.propose_commitment(
        giver=world.westmarch,
        receiver=world.larkhaven,
        text="Land",
        quantity=Decimal(60),
        unit="homes",
        owner=world.ben,
        due_on=dt.date(2031, 1, 1),
        partnership=None,
        author=world.ben,
        now=now,
        came_from=parse_origin_record(f"response-{response.pk}"),
    )

    cancel_commitment(proposed, world.amina, now)

    assert state_of(ask) == EntryState(Status.ACCEPTED, is_open=False, agreed_quantity=Decimal(60))


def test_a_commitment_of_the_whole_offer_closes_it(world: World, now: dt.datetime) -> None:
    offer = shared_entry(world.westmarch, world.ben, now, direction=Direction.OFFER)

    confirmed_commitment(world, now, quantity=60, origin=f"entry-{offer.pk}")

    assert state_of(offer) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(60))


def test_cancelling_a_commitment_reopens_the_offer(world: World, now: dt.datetime) -> None:
    offer = shared_entry(world.westmarch, world.ben, now, direction=Direction.OFFER)
    commitment = confirmed_commitment(world, now, quantity=60, origin=f"entry-{offer.pk}")

    cancel_commitment(commitment, world.amina, now)

    assert state_of(offer) == EntryState(Status.SHARED, is_open=True, agreed_quantity=Decimal(0))


@pytest.fixture
def ask_without_quantity(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask for land, which does not say how much."""
    return shared_entry(world.larkhaven, world.amina, now, quantity=None, unit="")


@pytest.fixture
def two_commitments(ask_without_quantity: Entry, world: World, now: dt.datetime) -> tuple[Commitment, Commitment]:
    """Return two commitments that meet the ask without a quantity."""
    first = confirmed_commitment(
        world, now, quantity=None, origin=f"entry-{ask_without_quantity.pk}", author=world.amina
    )
    second = confirmed_commitment(world, now, quantity=None)
    services.meet_entry(entry=ask_without_quantity, commitment=second, quantity=None, author=world.amina, now=now)
    return first, second


def test_an_ask_without_a_quantity_stays_committed_while_one_commitment_remains(
    ask_without_quantity: Entry, two_commitments: tuple[Commitment, Commitment], world: World, now: dt.datetime
) -> None:
    first, _ = two_commitments

    cancel_commitment(first, world.ben, now)

    state = state_of(ask_without_quantity)
    assert state.status == Status.COMMITTED
    assert not state.is_open


def test_an_ask_without_a_quantity_reopens_when_its_last_commitment_ends(
    ask_without_quantity: Entry, two_commitments: tuple[Commitment, Commitment], world: World, now: dt.datetime
) -> None:
    first, second = two_commitments
    cancel_commitment(first, world.ben, now)

    cancel_commitment(second, world.ben, now)

    state = state_of(ask_without_quantity)
    assert state.status == Status.SHARED
    assert state.is_open


@pytest.fixture
def ask_with_two_answers(world: World, now: dt.datetime) -> Entry:
    """Return an ask whose answers are accepted: 40 homes of Westmarch, which it has promised, and 20 of Tidewater."""
    ask = shared_entry(world.larkhaven, world.amina, now)
    answer = accepted_answer(ask, world, now, quantity=40)
    accepted_answer(ask, world, now, quantity=20, by=world.tidewater)
    confirmed_commitment(world, now, quantity=40, origin=f"response-{answer.pk}")
    return ask


def test_an_ask_is_not_committed_while_a_part_is_not_promised(ask_with_two_answers: Entry) -> None:
    assert state_of(ask_with_two_answers) == EntryState(Status.ACCEPTED, is_open=False, agreed_quantity=Decimal(60))


def test_an_ask_is_committed_when_commitments_cover_all_that_was_agreed(
    ask_with_two_answers: Entry, world: World, now: dt.datetime
) -> None:
    commitment = confirmed_commitment(world, now, quantity=20)

    services.meet_entry(entry=ask_with_two_answers, commitment=commitment, quantity=None, author=world.amina, now=now)

    assert state_of(ask_with_two_answers) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(60))


def test_a_commitment_in_another_unit_meets_the_quantity_of_its_answer(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    response = accepted_answer(ask, world, now, quantity=40)
    promise_of_money = confirmed_commitment(
        world, now, quantity=250_000, origin=f"response-{response.pk}", unit="pounds"
    )

    deliver_and_verify(promise_of_money, world, now)

    assert state_of(ask) == EntryState(Status.PART_ACCEPTED, is_open=True, agreed_quantity=Decimal(40))


def promise_in_two_units(ask: Entry, world: World, now: dt.datetime) -> Commitment:
    """Deliver money for 40 of the 60 homes, and return a commitment of the other 20 homes."""
    response = accepted_answer(ask, world, now, quantity=40)
    promise_of_money = confirmed_commitment(
        world, now, quantity=250_000, origin=f"response-{response.pk}", unit="pounds"
    )
    deliver_and_verify(promise_of_money, world, now)
    return confirmed_commitment(world, now, quantity=20, origin=f"entry-{ask.pk}", author=world.amina)


def test_commitments_in_two_units_leave_an_ask_committed_until_delivery(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)

    promise_in_two_units(ask, world, now)

    assert state_of(ask).status == Status.COMMITTED


def test_commitments_in_two_units_meet_an_ask_together(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    promise_of_homes = promise_in_two_units(ask, world, now)

    deliver_and_verify(promise_of_homes, world, now)

    assert state_of(ask).status == Status.MET


@pytest.fixture
def commitment_for_part(ask: Entry, world: World, now: dt.datetime) -> Commitment:
    """Return a commitment of 40 homes to an ask for 60 that closes today."""
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now))
    response = accepted_answer(ask, world, now, quantity=40)
    return confirmed_commitment(world, now, quantity=40, origin=f"response-{response.pk}")


@pytest.mark.usefixtures("commitment_for_part")
def test_an_ask_agreed_in_part_stays_open_until_its_closing_date(ask: Entry) -> None:
    assert state_of(ask) == EntryState(Status.PART_ACCEPTED, is_open=True, agreed_quantity=Decimal(40))


@pytest.mark.usefixtures("commitment_for_part")
def test_an_ask_agreed_in_part_is_committed_after_its_closing_date(ask: Entry, now: dt.datetime) -> None:
    services.lapse_due_entries(now=now + dt.timedelta(days=2))

    assert state_of(ask) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(40))


def test_an_ask_agreed_in_part_by_its_closing_date_lapses_once_delivered(
    ask: Entry, commitment_for_part: Commitment, world: World, now: dt.datetime
) -> None:
    later = now + dt.timedelta(days=2)
    services.lapse_due_entries(now=later)

    deliver_and_verify(commitment_for_part, world, later)

    assert state_of(ask).status == Status.LAPSED


def test_an_ask_is_met_when_its_quantity_is_lowered_to_what_was_delivered(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    response = accepted_answer(ask, world, now, quantity=40)
    deliver_and_verify(confirmed_commitment(world, now, quantity=40, origin=f"response-{response.pk}"), world, now)

    services.edit_entry(entry=ask, author=world.amina, now=now, quantity=Decimal(40))

    assert state_of(ask).status == Status.MET
