"""Commitments change the status of the asks and offers that they meet."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple

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
from partnerships.people.models import User
from tests.exchange.conftest import accepted_answer, shared_entry
from tests.world import World


def promise(source: str, world: World, now: dt.datetime, quantity: Decimal | int | None, **terms: Any) -> Commitment:
    """Return a commitment from Westmarch to Larkhaven that both have confirmed."""
    fields = {
        "giver": world.westmarch,
        "receiver": world.larkhaven,
        "text": "Land for homes",
        "quantity": None if quantity is None else Decimal(quantity),
        "unit": "homes" if quantity is not None else "",
        "owner": world.ben,
        "due_on": dt.date(2031, 1, 1),
        "partnership": None,
        "author": world.ben,
        "now": now,
        "came_from": parse_origin_record(source) if source else None,
    } | terms
    commitment = commitments.propose_commitment(**fields)
    for side, lead in ((world.westmarch, world.ben), (world.larkhaven, world.amina)):
        commitment = commitments.confirm_commitment(
            commitment=commitment, organisation=side, author=lead, revision=commitment.revision, now=now
        )
    return commitment


def report_progress(commitment: Commitment, world: World, now: dt.datetime, delivered: int) -> None:
    """Report as Ben how much of a commitment is delivered so far."""
    commitments.record_progress(
        commitment=commitment,
        status=CommitmentStatus.IN_PROGRESS,
        author=world.ben,
        now=now,
        delivered=Decimal(delivered),
    )


def deliver_and_verify(commitment: Commitment, world: World, now: dt.datetime) -> None:
    """Deliver a commitment, and let Larkhaven verify the delivery."""
    commitments.record_progress(
        commitment=commitment,
        status=CommitmentStatus.DONE,
        author=world.ben,
        now=now,
        delivered=commitment.quantity,
    )
    commitments.verify_delivery(commitment=commitment, author=world.amina, now=now)


def cancel_commitment(commitment: Commitment, author: User, now: dt.datetime) -> None:
    """Cancel a commitment because the land was sold."""
    commitments.end_commitment(commitment=commitment, reason="The land was sold.", author=author, now=now)


class EntryState(NamedTuple):
    """How far an ask or offer has got."""

    status: str
    is_open: bool
    agreed_quantity: Decimal


def state_of(entry: Entry) -> EntryState:
    """Return the state of an entry, as stored."""
    entry.refresh_from_db()
    return EntryState(entry.status, entry.is_open, entry.agreed_quantity)


def test_an_answer_counts_until_a_commitment_from_it_falls_through() -> None:
    def agreed_amount(*promises: Promise) -> Decimal:
        return total_amounts(promises, {1: Decimal(60)}).agreed

    assert agreed_amount() == 60
    assert agreed_amount(Promise(1, promised=Decimal(40))) == 60
    assert agreed_amount(Promise(1, promised=Decimal(40)), Promise(1, lost=Decimal(20))) == 40
    assert agreed_amount(Promise(1, lost=Decimal(60))) == 0
    assert agreed_amount(Promise(1, lost=Decimal(60)), Promise(None, promised=Decimal(15))) == 15


class Replacement(NamedTuple):
    """A commitment from an accepted answer, and the one that replaces it after 40 of 60 homes were delivered."""

    former: Commitment
    current: Commitment


@pytest.fixture
def replacement(ask: Entry, world: World, now: dt.datetime) -> Replacement:
    """Replace a commitment whose due date was already moved once."""
    response = accepted_answer(ask, world, now, quantity=60)
    former = promise(f"response-{response.pk}", world, now, quantity=60)
    commitments.change_due_date(
        commitment=former, due_on=dt.date(2031, 3, 1), reason="The road is late.", author=world.ben, now=now
    )
    report_progress(former, world, now, 40)
    current = promise("", world, now, quantity=60, replaces=former, due_on=dt.date(2031, 6, 1))
    current.refresh_from_db()
    return Replacement(former, current)


def test_a_replacement_commitment_keeps_what_was_delivered_before(replacement: Replacement) -> None:
    assert replacement.current.delivered_words == "40 of 60 homes"
    assert replacement.current.status == CommitmentStatus.IN_PROGRESS


def test_a_replacement_commitment_keeps_every_change_of_its_due_date(world: World, replacement: Replacement) -> None:
    first_move, second_move = replacement.current.slippages.order_by("pk")

    assert replacement.current.original_due_on == first_move.was == dt.date(2031, 1, 1)
    assert first_move.now == second_move.was == dt.date(2031, 3, 1)
    assert first_move.by == world.ben
    assert second_move.now == replacement.current.due_on == dt.date(2031, 6, 1)
    assert second_move.by == world.amina


def test_a_replacement_commitment_leads_to_the_ask(ask: Entry, world: World, replacement: Replacement) -> None:
    assert [link.href for link in origin_links_of(replacement.current, world.amina)] == [ask.get_absolute_url()]


def test_a_replacement_commitment_meets_the_ask_once_delivered(
    ask: Entry, world: World, now: dt.datetime, replacement: Replacement
) -> None:
    state_before = state_of(ask)

    deliver_and_verify(replacement.current, world, now)

    assert state_before == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(60))
    assert state_of(ask).status == Status.MET


def test_a_replacement_that_promises_less_reopens_the_ask_for_the_rest(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    response = accepted_answer(ask, world, now, quantity=60)
    old = promise(f"response-{response.pk}", world, now, quantity=60)

    promise("", world, now, quantity=40, replaces=old)

    assert state_of(ask) == EntryState(Status.PART_ACCEPTED, is_open=True, agreed_quantity=Decimal(40))


@pytest.fixture
def reopened_ask(ask: Entry, world: World, now: dt.datetime) -> Entry:
    """Return an ask that closed on a day and opened again when its commitment was cancelled a month later."""
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now))
    response = accepted_answer(ask, world, now, quantity=60)
    commitment = promise(f"response-{response.pk}", world, now, quantity=60)
    cancel_commitment(commitment, world.ben, now + dt.timedelta(days=30))
    return ask


def test_cancelling_a_commitment_reopens_the_ask(reopened_ask: Entry) -> None:
    assert state_of(reopened_ask) == EntryState(Status.ACKNOWLEDGED, is_open=True, agreed_quantity=Decimal(0))
    assert reopened_ask.closes_on is None
    event = Event.objects.filter(target_kind="entry", target_id=reopened_ask.pk).latest("pk")
    assert event.kind == "ask.reopened"
    assert event.data["before"] == "committed"


def test_a_reopened_ask_accepts_another_answer_and_commitment(
    reopened_ask: Entry, world: World, now: dt.datetime
) -> None:
    later = now + dt.timedelta(days=30)

    second_answer = accepted_answer(reopened_ask, world, later, quantity=60)
    state_after_answer = state_of(reopened_ask)
    promise(f"response-{second_answer.pk}", world, later, quantity=60)

    assert state_after_answer == EntryState(Status.ACCEPTED, is_open=False, agreed_quantity=Decimal(60))
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


def test_cancelling_a_commitment_reopens_the_offer(world: World, now: dt.datetime) -> None:
    offer = shared_entry(world.westmarch, world.ben, now, direction=Direction.OFFER)
    commitment = promise(f"entry-{offer.pk}", world, now, quantity=60)
    state_before = state_of(offer)

    cancel_commitment(commitment, world.amina, now)

    assert state_before == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(60))
    assert state_of(offer) == EntryState(Status.SHARED, is_open=True, agreed_quantity=Decimal(0))


def test_an_ask_without_a_quantity_reopens_when_its_last_commitment_ends(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now, quantity=None, unit="")
    first = promise(f"entry-{ask.pk}", world, now, quantity=None, author=world.amina)
    second = promise("", world, now, quantity=None)
    services.meet_entry(entry=ask, commitment=second, quantity=None, author=world.amina, now=now)

    cancel_commitment(first, world.ben, now)
    state_with_one_left = state_of(ask)
    cancel_commitment(second, world.ben, now)
    state_with_none_left = state_of(ask)

    assert (state_with_one_left.status, state_with_one_left.is_open) == (Status.COMMITTED, False)
    assert (state_with_none_left.status, state_with_none_left.is_open) == (Status.SHARED, True)


def test_an_ask_is_committed_when_commitments_cover_all_that_was_agreed(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    answer = accepted_answer(ask, world, now, quantity=40)
    accepted_answer(ask, world, now, quantity=20, by=world.tidewater)

    promise(f"response-{answer.pk}", world, now, quantity=40)
    state_after_40_homes = state_of(ask)
    second_commitment = promise("", world, now, quantity=20)
    services.meet_entry(entry=ask, commitment=second_commitment, quantity=None, author=world.amina, now=now)

    assert state_after_40_homes == EntryState(Status.ACCEPTED, is_open=False, agreed_quantity=Decimal(60))
    assert state_of(ask) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(60))


def test_a_commitment_in_another_unit_meets_the_quantity_of_its_answer(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    response = accepted_answer(ask, world, now, quantity=40)
    promise_of_money = promise(f"response-{response.pk}", world, now, quantity=250_000, unit="pounds")

    deliver_and_verify(promise_of_money, world, now)

    assert state_of(ask) == EntryState(Status.PART_ACCEPTED, is_open=True, agreed_quantity=Decimal(40))


def test_commitments_in_two_units_meet_an_ask_together(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    response = accepted_answer(ask, world, now, quantity=40)
    promise_of_money = promise(f"response-{response.pk}", world, now, quantity=250_000, unit="pounds")
    deliver_and_verify(promise_of_money, world, now)
    promise_of_homes = promise(f"entry-{ask.pk}", world, now, quantity=20, author=world.amina)
    status_before_delivery = state_of(ask).status

    deliver_and_verify(promise_of_homes, world, now)

    assert status_before_delivery == Status.COMMITTED
    assert state_of(ask).status == Status.MET


def test_sixty_homes_cannot_meet_two_asks_for_sixty(world: World, now: dt.datetime) -> None:
    first_ask, second_ask = (shared_entry(world.larkhaven, world.amina, now) for _ in range(2))
    commitment = promise(f"entry-{first_ask.pk}", world, now, quantity=60, author=world.amina)

    with pytest.raises(services.UnableToMeet, match="nothing is left"):
        services.meet_entry(entry=second_ask, commitment=commitment, quantity=None, author=world.amina, now=now)

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
    commitment = promise(f"entry-{for_40_homes.pk}", world, now, quantity=60, author=world.amina)
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
    commitment = promise("", world, now, quantity=Decimal("0.5"), unit="hectares")

    services.meet_entry(entry=ask, commitment=commitment, quantity=None, author=world.amina, now=now)

    assert state_of(ask).agreed_quantity == Decimal("0.5")


def test_a_commitment_that_an_organisation_gives_cannot_meet_its_own_ask(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now)
    commitment = promise("", world, now, quantity=60)

    with pytest.raises(services.UnableToMeet, match="Choose a commitment that Westmarch"):
        services.meet_entry(entry=ask, commitment=commitment, quantity=None, author=world.ben, now=now)


@pytest.fixture
def commitment_for_part(ask: Entry, world: World, now: dt.datetime) -> Commitment:
    """Return a commitment of 40 homes to an ask for 60 that closes today."""
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now))
    response = accepted_answer(ask, world, now, quantity=40)
    return promise(f"response-{response.pk}", world, now, quantity=40)


def test_an_ask_agreed_in_part_is_committed_after_its_closing_date(
    ask: Entry, commitment_for_part: Commitment, now: dt.datetime
) -> None:
    state_before = state_of(ask)

    services.lapse_due_entries(now=now + dt.timedelta(days=2))

    assert state_before == EntryState(Status.PART_ACCEPTED, is_open=True, agreed_quantity=Decimal(40))
    assert state_of(ask) == EntryState(Status.COMMITTED, is_open=False, agreed_quantity=Decimal(40))


def test_an_ask_agreed_in_part_by_its_closing_date_lapses_once_delivered(
    ask: Entry, commitment_for_part: Commitment, world: World, now: dt.datetime
) -> None:
    later = now + dt.timedelta(days=2)
    services.lapse_due_entries(now=later)

    deliver_and_verify(commitment_for_part, world, later)

    assert state_of(ask).status == Status.LAPSED


def test_lowering_the_quantity_to_what_was_delivered_makes_an_ask_met(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    response = accepted_answer(ask, world, now, quantity=40)
    deliver_and_verify(promise(f"response-{response.pk}", world, now, quantity=40), world, now)

    services.edit_entry(entry=ask, author=world.amina, now=now, quantity=Decimal(40))

    assert state_of(ask).status == Status.MET
