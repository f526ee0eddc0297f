"""Asks and offers go from draft to agreed, declined, lapsed or withdrawn."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements import services as agreements
from partnerships.exchange import services
from partnerships.exchange.models import (
    Audience,
    Direction,
    Entry,
    EntryCount,
    Question,
    Response,
    ResponseStatus,
    Status,
)
from partnerships.exchange.queries import TASK_SOURCES, responses_to_decide
from partnerships.organisations.waiting import tasks_from
from tests.exchange.conftest import draft, shared_entry
from tests.world import World


def test_a_shared_draft_takes_answers_until_its_end_date(world: World, now: dt.datetime) -> None:
    entry = draft(world.larkhaven, world.amina, now, available_until=dt.date(2030, 3, 31))

    services.share_entry(entry=entry, author=world.amina, now=now)

    entry.refresh_from_db()
    assert entry.status == Status.SHARED
    assert entry.is_open
    assert entry.shared_at == now
    assert entry.closes_on == dt.date(2030, 3, 31)


def test_sharing_a_draft_records_an_event(world: World, now: dt.datetime) -> None:
    entry = draft(world.larkhaven, world.amina, now, available_until=dt.date(2030, 3, 31))

    services.share_entry(entry=entry, author=world.amina, now=now)

    event = Event.objects.get(target_kind="entry", target_id=entry.pk, kind="ask.shared")
    assert event.data["before"] == "draft"
    assert event.data["after"] == "shared"


def test_sharing_twice_is_refused(ask: Entry, world: World, now: dt.datetime) -> None:
    with pytest.raises(services.UnableToShareEntry, match="already shared"):
        services.share_entry(entry=ask, author=world.amina, now=now)


@pytest.mark.parametrize(
    ("invalid_fields", "refusal"),
    [
        ({"title": " "}, "title"),
        ({"quantity": 0}, "more than 0"),
        ({"unit": ""}, "unit"),
        (
            {"available_from": dt.date(2030, 2, 1), "available_until": dt.date(2030, 1, 1)},
            "end date must not be before",
        ),
        ({"standing": True}, "Only an offer"),
        ({"audience": Audience.NAMED}, "Choose at least one"),
        ({"audience": Audience.PARTNERSHIP}, "Choose the partnership"),
    ],
)
def test_an_invalid_entry_is_refused_with_a_reason(
    invalid_fields: dict[str, object], refusal: str, world: World, now: dt.datetime
) -> None:
    with pytest.raises(services.UnableToWriteEntry, match=refusal):
        draft(world.larkhaven, world.amina, now, **invalid_fields)


def test_only_a_present_party_can_share_with_a_partnership(world: World, now: dt.datetime) -> None:
    with pytest.raises(services.UnableToWriteEntry, match="is not a party"):
        draft(world.tidewater, world.chidi, now, audience=Audience.PARTNERSHIP, partnership=world.partnership)


def test_a_draft_that_names_a_former_party_cannot_be_shared(world: World, now: dt.datetime) -> None:
    entry = draft(
        world.larkhaven,
        world.amina,
        now,
        audience=Audience.NAMED,
        partnership=world.partnership,
        addressees=[world.westmarch],
    )
    agreements.leave_partnership(party=world.party(world.westmarch), reason="Moved on.", author=world.ben, now=now)

    with pytest.raises(services.UnableToShareEntry, match="Choose only parties"):
        services.share_entry(entry=entry, author=world.amina, now=now)


def test_the_same_form_posted_twice_makes_one_entry(world: World, now: dt.datetime) -> None:
    key = uuid4()

    entry = draft(world.larkhaven, world.amina, now, key=key)
    entry_of_second_post = draft(world.larkhaven, world.amina, now, key=key)

    assert entry_of_second_post == entry
    assert Entry.objects.count() == 1


def test_an_edit_of_an_old_revision_is_refused(ask: Entry, world: World, now: dt.datetime) -> None:
    revision_read = ask.revision
    services.edit_entry(entry=ask, author=world.eddie, now=now, revision=revision_read, title="Land for 50 homes")

    with pytest.raises(services.UnableToEditEntry, match="A colleague has changed"):
        services.edit_entry(entry=ask, author=world.amina, now=now, revision=revision_read, title="Land for 70 homes")

    ask.refresh_from_db()
    assert ask.title == "Land for 50 homes"


def test_the_audience_can_change_only_in_a_draft(world: World, now: dt.datetime) -> None:
    entry = draft(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch])
    services.edit_entry(entry=entry, author=world.amina, now=now, sharing=services.EntrySharing(Audience.NETWORK))
    services.share_entry(entry=entry, author=world.amina, now=now)

    with pytest.raises(services.UnableToEditEntry, match="can no longer change who"):
        services.edit_entry(
            entry=entry,
            author=world.amina,
            now=now,
            sharing=services.EntrySharing(Audience.NAMED, addressees=[world.westmarch]),
        )

    assert Entry.objects.get(pk=entry.pk).audience == Audience.NETWORK


def test_an_ask_is_acknowledged_once(ask: Entry, world: World, now: dt.datetime) -> None:
    first = services.acknowledge_entry(entry=ask, organisation=world.westmarch, author=world.ben, now=now)
    second = services.acknowledge_entry(
        entry=ask, organisation=world.westmarch, author=world.ben, now=now + dt.timedelta(hours=1)
    )

    assert ask.status == Status.ACKNOWLEDGED
    assert second.acknowledged_at == first.acknowledged_at == now
    assert ask.waiting_since == now


def ben_answers(ask: Entry, world: World, now: dt.datetime, *, quantity: int | None = None) -> Response:
    """Answer Larkhaven's ask for Westmarch, with this quantity or with all that is left."""
    amount = None if quantity is None else Decimal(quantity)
    return services.respond(
        entry=ask, organisation=world.westmarch, text="At the quay.", quantity=amount, author=world.ben, now=now
    )


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


def test_only_one_of_two_answers_gets_the_last_of_an_offer(world: World, now: dt.datetime) -> None:
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


def test_a_standing_offer_stays_shared_however_often_it_is_taken_up(world: World, now: dt.datetime) -> None:
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
    services.decline_entry(entry=ask, organisation=world.tidewater, reason="Nor we.", author=world.chidi, now=now)

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

    actions = {item.action for item in tasks_from(TASK_SOURCES, world.amina, now)}

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


@pytest.mark.parametrize(
    ("direction", "agreed_status"), [(Direction.ASK, Status.ACCEPTED), (Direction.OFFER, Status.TAKEN_UP)]
)
def test_an_entry_agreed_outside_the_site_is_marked_agreed(
    direction: Direction, agreed_status: Status, world: World, now: dt.datetime
) -> None:
    entry = shared_entry(world.larkhaven, world.amina, now, direction=direction)

    services.mark_agreed(entry=entry, reason="Agreed with Westmarch by telephone.", author=world.amina, now=now)

    assert entry.status == agreed_status


def test_an_agreed_entry_cannot_be_marked_agreed_again(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    services.mark_agreed(entry=ask, reason="Agreed with Westmarch by telephone.", author=world.amina, now=now)

    with pytest.raises(services.UnableToMarkAgreed):
        services.mark_agreed(entry=ask, reason="Again.", author=world.amina, now=now)


def test_a_standing_offer_agreed_elsewhere_stays_shared(world: World, now: dt.datetime) -> None:
    offer = shared_entry(world.larkhaven, world.amina, now, direction=Direction.OFFER, standing=True)

    services.mark_agreed(entry=offer, reason="With Westmarch by telephone.", author=world.amina, now=now)

    event = Event.objects.get(target_kind="entry", target_id=offer.pk, kind="offer.agreed")
    offer.refresh_from_db()
    assert offer.status == Status.SHARED
    assert offer.is_open
    assert event.data["reason"] == "With Westmarch by telephone."


def test_withdrawing_an_entry_declines_its_open_answers(ask: Entry, world: World, now: dt.datetime) -> None:
    response = services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    services.withdraw_entry(entry=ask, reason="Found elsewhere.", author=world.amina, now=now)

    response.refresh_from_db()
    assert response.status == ResponseStatus.DECLINED
    assert response.reason == "The ask was withdrawn: Found elsewhere."
    assert responses_to_decide(world.amina) == []
    assert Event.objects.filter(target_kind="response", target_id=response.pk, kind="answer.declined").exists()


def test_withdrawing_an_entry_needs_a_reason(ask: Entry, world: World, now: dt.datetime) -> None:
    with pytest.raises(services.UnableToWithdrawEntry, match="Enter why"):
        services.withdraw_entry(entry=ask, reason="", author=world.amina, now=now)


def test_withdrawing_an_entry_closes_it(ask: Entry, world: World, now: dt.datetime) -> None:
    services.withdraw_entry(entry=ask, reason="Found elsewhere.", author=world.amina, now=now)

    assert ask.status == Status.WITHDRAWN
    assert not ask.is_open
    assert ask.closed_at == now


def test_a_withdrawn_entry_takes_no_answers(ask: Entry, world: World, now: dt.datetime) -> None:
    services.withdraw_entry(entry=ask, reason="Found elsewhere.", author=world.amina, now=now)

    with pytest.raises(services.UnableToRespond, match="so you can no longer answer it"):
        services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)


def test_an_unanswered_entry_lapses_the_day_after_its_closing_date(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.larkhaven, world.amina, now, closes_on=timezone.localdate(now) + dt.timedelta(days=10))

    lapsed_on_the_day = services.lapse_due_entries(now=now + dt.timedelta(days=10))
    lapsed_a_day_later = services.lapse_due_entries(now=now + dt.timedelta(days=11))
    lapsed_in_a_second_run = services.lapse_due_entries(now=now + dt.timedelta(days=11))

    entry.refresh_from_db()
    assert (lapsed_on_the_day, lapsed_a_day_later, lapsed_in_a_second_run) == (0, 1, 0)
    assert entry.status == Status.LAPSED


def test_an_answered_entry_does_not_lapse(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.larkhaven, world.amina, now, closes_on=timezone.localdate(now) + dt.timedelta(days=10))
    ben_answers(entry, world, now)

    lapsed_count = services.lapse_due_entries(now=now + dt.timedelta(days=11))

    entry.refresh_from_db()
    assert lapsed_count == 0
    assert entry.status == Status.ACKNOWLEDGED  # an answer also acknowledges the ask


def test_a_later_end_date_moves_the_closing_date_and_allows_another_reminder(world: World, now: dt.datetime) -> None:
    end_date = timezone.localdate(now) + dt.timedelta(days=10)
    ask = shared_entry(world.larkhaven, world.amina, now, available_until=end_date)
    Entry.objects.filter(pk=ask.pk).update(reminded_at=now)
    later_end_date = end_date + dt.timedelta(days=30)

    services.edit_entry(entry=ask, author=world.amina, now=now, available_until=later_end_date, closes_on=end_date)

    assert ask.closes_on == later_end_date
    assert ask.reminded_at is None


def test_a_closing_date_that_was_chosen_does_not_follow_the_end_date(world: World, now: dt.datetime) -> None:
    end_date = timezone.localdate(now) + dt.timedelta(days=40)
    chosen_date = end_date - dt.timedelta(days=5)
    ask = shared_entry(world.larkhaven, world.amina, now, available_until=end_date)
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=chosen_date)

    services.edit_entry(entry=ask, author=world.amina, now=now, available_until=end_date + dt.timedelta(days=5))

    assert ask.closes_on == chosen_date


def test_a_closing_date_in_the_past_is_refused(ask: Entry, world: World, now: dt.datetime) -> None:
    yesterday = timezone.localdate(now) - dt.timedelta(days=1)

    with pytest.raises(services.UnableToEditEntry, match="Choose a later date"):
        services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=yesterday)


def test_a_later_closing_date_reopens_the_rest_of_a_part_accepted_ask(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now))
    answer = ben_answers(ask, world, now, quantity=40)
    services.decide_response(response=answer, accept=True, reason="", author=world.amina, now=now)
    later = now + dt.timedelta(days=2)
    services.lapse_due_entries(now=later)
    ask.refresh_from_db()
    was_open_before = ask.is_open

    services.edit_entry(entry=ask, author=world.amina, now=later, closes_on=later.date() + dt.timedelta(days=9))

    assert not was_open_before, "The closing date had passed."
    assert ask.status == Status.PART_ACCEPTED
    assert ask.is_open


def counts_by_status() -> dict[str, int]:
    """Return how many entries of each status the stored counts have."""
    totals: Counter[str] = Counter()
    for entry_count in EntryCount.objects.all():
        totals[entry_count.status] += entry_count.number
    return {status: total for status, total in totals.items() if total}


def test_stored_counts_leave_out_drafts_and_asks_by_name(world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now)
    shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch])
    draft(world.larkhaven, world.amina, now)

    assert counts_by_status() == {"shared": 1}


def test_stored_counts_follow_the_status_of_an_entry(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.larkhaven, world.amina, now)

    services.withdraw_entry(entry=entry, reason="Found elsewhere.", author=world.amina, now=now)

    assert counts_by_status() == {"withdrawn": 1}
