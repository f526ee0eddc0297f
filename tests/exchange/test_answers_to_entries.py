"""Organisations answer, decline and refer asks and offers, and ask questions about them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from partnerships.exchange import services
from partnerships.exchange.models import (
    Audience,
    Direction,
    Entry,
    Question,
    Status,
)
from partnerships.exchange.queries import TASK_SOURCES
from partnerships.organisations.waiting import tasks_from
from tests.exchange.conftest import ben_answers, shared_entry
from tests.world import World


def test_an_acknowledged_ask_shows_since_when_it_waits(ask: Entry, world: World, now: dt.datetime) -> None:
    receipt = services.acknowledge_entry(entry=ask, organisation=world.westmarch, author=world.ben, now=now)

    assert receipt.acknowledged_at == now
    assert ask.status == Status.ACKNOWLEDGED
    assert ask.waiting_since == now


def test_a_second_acknowledgement_keeps_the_time_of_the_first(ask: Entry, world: World, now: dt.datetime) -> None:
    services.acknowledge_entry(entry=ask, organisation=world.westmarch, author=world.ben, now=now)

    receipt = services.acknowledge_entry(
        entry=ask, organisation=world.westmarch, author=world.ben, now=now + dt.timedelta(hours=1)
    )

    assert receipt.acknowledged_at == now
    assert ask.status == Status.ACKNOWLEDGED
    assert ask.waiting_since == now


def test_an_ask_with_an_answer_is_not_unanswered(ask: Entry, world: World, now: dt.datetime) -> None:
    ben_answers(ask, world, now, quantity=40)

    assert not ask.is_unanswered


def test_accepting_part_of_the_quantity_leaves_the_rest_open(ask: Entry, world: World, now: dt.datetime) -> None:
    answer = ben_answers(ask, world, now, quantity=40)

    services.decide_response(response=answer, accept=True, reason="", author=world.amina, now=now)

    ask.refresh_from_db()
    assert ask.status == Status.PART_ACCEPTED
    assert ask.is_open
    assert ask.quantity_left == 20


def test_accepting_the_rest_of_the_quantity_closes_the_ask(ask: Entry, world: World, now: dt.datetime) -> None:
    first_answer = ben_answers(ask, world, now, quantity=40)
    services.decide_response(response=first_answer, accept=True, reason="", author=world.amina, now=now)
    second_answer = ben_answers(ask, world, now)

    services.decide_response(response=second_answer, accept=True, reason="", author=world.amina, now=now)

    ask.refresh_from_db()
    second_answer.refresh_from_db()
    assert ask.status == Status.ACCEPTED
    assert not ask.is_open
    assert ask.quantity_left == 0
    assert second_answer.agreed_quantity == 20


def test_an_answer_for_more_than_is_left_is_refused(ask: Entry, world: World, now: dt.datetime) -> None:
    with pytest.raises(services.UnableToRespond, match="Enter at most 60 homes"):
        services.respond(
            entry=ask, organisation=world.westmarch, text="More!", quantity=Decimal(61), author=world.ben, now=now
        )


def test_an_organisation_has_one_open_answer_at_a_time(ask: Entry, world: World, now: dt.datetime) -> None:
    services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    with pytest.raises(services.UnableToRespond, match="has already answered"):
        services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)


def test_an_answer_cannot_be_accepted_once_an_offer_is_taken_up(world: World, now: dt.datetime) -> None:
    offer = shared_entry(world.larkhaven, world.amina, now, direction=Direction.OFFER)
    answer_of_westmarch = services.respond(
        entry=offer, organisation=world.westmarch, text="Please.", author=world.ben, now=now
    )
    answer_of_tidewater = services.respond(
        entry=offer, organisation=world.tidewater, text="Please.", author=world.chidi, now=now
    )
    services.decide_response(response=answer_of_westmarch, accept=True, reason="", author=world.amina, now=now)

    with pytest.raises(services.UnableToDecide, match="Nothing is left"):
        services.decide_response(response=answer_of_tidewater, accept=True, reason="", author=world.amina, now=now)

    offer.refresh_from_db()
    assert offer.status == Status.TAKEN_UP
    assert not offer.is_open


def test_a_standing_offer_accepted_by_two_organisations_stays_shared(world: World, now: dt.datetime) -> None:
    offer = shared_entry(world.larkhaven, world.amina, now, direction=Direction.OFFER, standing=True)

    for organisation, author in ((world.westmarch, world.ben), (world.tidewater, world.chidi)):
        response = services.respond(entry=offer, organisation=organisation, text="Please.", author=author, now=now)
        services.decide_response(response=response, accept=True, reason="", author=world.amina, now=now)

    offer.refresh_from_db()
    assert offer.status == Status.SHARED
    assert offer.is_open


def test_declining_a_response_needs_a_reason(ask: Entry, world: World, now: dt.datetime) -> None:
    response = ben_answers(ask, world, now)

    with pytest.raises(services.UnableToDecide, match="Enter why"):
        services.decide_response(response=response, accept=False, reason=" ", author=world.amina, now=now)


def test_a_declined_response_cannot_be_accepted_later(ask: Entry, world: World, now: dt.datetime) -> None:
    response = ben_answers(ask, world, now)
    services.decide_response(response=response, accept=False, reason="Too far away.", author=world.amina, now=now)

    with pytest.raises(services.UnableToDecide, match="already declined"):
        services.decide_response(response=response, accept=True, reason="", author=world.amina, now=now)


def test_an_ask_is_unanswered_again_after_its_only_answer_is_withdrawn(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    response = services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    services.withdraw_response(response=response, author=world.ben, now=now)

    ask.refresh_from_db()
    assert ask.waiting_since == ask.shared_at


def ask_to_ben_and_chidi(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask to Westmarch, where Ben is a lead, and to Tidewater, where Chidi is."""
    addressees = [world.westmarch, world.tidewater]
    return shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=addressees)


def test_declining_an_ask_needs_a_reason(world: World, now: dt.datetime) -> None:
    ask = ask_to_ben_and_chidi(world, now)

    with pytest.raises(services.UnableToDecline, match="Enter why"):
        services.decline_entry(entry=ask, organisation=world.westmarch, reason="", author=world.ben, now=now)


def test_an_ask_remains_shared_until_everybody_has_declined(world: World, now: dt.datetime) -> None:
    ask = ask_to_ben_and_chidi(world, now)

    services.decline_entry(entry=ask, organisation=world.westmarch, reason="No land.", author=world.ben, now=now)

    assert ask.status == Status.SHARED


def test_an_ask_that_everybody_declines_is_declined(world: World, now: dt.datetime) -> None:
    ask = ask_to_ben_and_chidi(world, now)
    services.decline_entry(entry=ask, organisation=world.westmarch, reason="No land.", author=world.ben, now=now)

    services.decline_entry(
        entry=ask, organisation=world.tidewater, reason="No land either.", author=world.chidi, now=now
    )

    assert ask.status == Status.DECLINED
    assert not ask.is_open
    assert ask.reason == "Everyone who was asked has declined."


def test_an_ask_for_the_whole_network_cannot_be_declined(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)

    with pytest.raises(services.UnableToDecline, match="whole network"):
        services.decline_entry(entry=ask, organisation=world.westmarch, reason="No.", author=world.ben, now=now)


def ben_asks_a_question(ask: Entry, world: World, now: dt.datetime) -> Question:
    """Ask "By when?" about Larkhaven's ask, for Westmarch."""
    return services.ask_question(entry=ask, organisation=world.westmarch, text="By when?", author=world.ben, now=now)


def test_a_question_becomes_a_task_of_the_author_of_the_ask(ask: Entry, world: World, now: dt.datetime) -> None:
    ben_asks_a_question(ask, world, now)

    actions = {task.action for task in tasks_from(TASK_SOURCES, world.amina, now)}

    assert "Answer the question from Westmarch Borough Council" in actions


def test_an_answered_question_leaves_the_ask_unanswered(ask: Entry, world: World, now: dt.datetime) -> None:
    question = ben_asks_a_question(ask, world, now)

    services.answer_question(question=question, text="By May.", author=world.amina, now=now)

    question.refresh_from_db()
    assert question.answer == "By May."
    assert question.answered_by == world.amina
    assert ask.is_unanswered


def test_a_question_is_answered_only_once(ask: Entry, world: World, now: dt.datetime) -> None:
    question = ben_asks_a_question(ask, world, now)
    services.answer_question(question=question, text="By May.", author=world.amina, now=now)

    with pytest.raises(services.UnableToAskQuestion, match="has already answered"):
        services.answer_question(question=question, text="By June.", author=world.amina, now=now)


def test_referring_an_ask_to_an_editor_acknowledges_it(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])

    receipt = services.refer_entry(
        entry=ask, organisation=world.larkhaven, person=world.eddie, note_to_them="Yours?", author=world.amina, now=now
    )

    assert receipt.referred_to == world.eddie
    assert ask.status == Status.ACKNOWLEDGED


def test_an_ask_cannot_be_referred_to_a_viewer(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])

    with pytest.raises(services.UnableToRefer, match="cannot answer"):
        services.refer_entry(entry=ask, organisation=world.larkhaven, person=world.vera, author=world.amina, now=now)
