"""Asks and offers go from draft to agreed, declined, lapsed or withdrawn."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements import services as agreements
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, EntryCount, ResponseStatus, Status
from partnerships.exchange.queries import WAITING, responses_to_decide
from partnerships.organisations.waiting import tasks_from
from tests.exchange.conftest import draft, shared_entry
from tests.world import World


def test_sharing_a_draft_opens_it_and_records_an_event(world: World, now: dt.datetime) -> None:
    entry = draft(world.larkhaven, world.amina, now, available_until=dt.date(2030, 3, 31))

    services.share_entry(entry=entry, author=world.amina, now=now)

    entry.refresh_from_db()
    assert entry.status == Status.SHARED
    assert entry.is_open
    assert entry.shared_at == now
    assert entry.closes_on == dt.date(2030, 3, 31)
    event = Event.objects.get(target_kind="entry", target_id=entry.pk, kind="ask.shared")
    assert event.data["before"] == "draft"
    assert event.data["after"] == "shared"


def test_sharing_twice_is_refused(ask: Entry, world: World, now: dt.datetime) -> None:
    with pytest.raises(services.UnableToShareEntry, match="already shared"):
        services.share_entry(entry=ask, author=world.amina, now=now)


@pytest.mark.parametrize(
    ("given", "words"),
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
    given: dict[str, object], words: str, world: World, now: dt.datetime
) -> None:
    with pytest.raises(services.UnableToWriteEntry, match=words):
        draft(world.larkhaven, world.amina, now, **given)


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

    first = draft(world.larkhaven, world.amina, now, key=key)
    second = draft(world.larkhaven, world.amina, now, key=key)

    assert first == second
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


def test_accepting_part_of_the_quantity_leaves_the_rest_open(ask: Entry, world: World, now: dt.datetime) -> None:
    first_answer = services.respond(
        entry=ask, organisation=world.westmarch, text="40 at the quay.", quantity=Decimal(40), author=world.ben, now=now
    )
    assert not ask.is_unanswered

    services.decide_response(response=first_answer, accept=True, reason="", author=world.amina, now=now)

    ask.refresh_from_db()
    assert ask.status == Status.PART_ACCEPTED
    assert ask.is_open
    assert ask.quantity_left == 20

    second_answer = services.respond(
        entry=ask, organisation=world.westmarch, text="And the rest.", author=world.ben, now=now
    )
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
    first = services.respond(entry=offer, organisation=world.westmarch, text="Please.", author=world.ben, now=now)
    second = services.respond(entry=offer, organisation=world.tidewater, text="Please.", author=world.chidi, now=now)
    services.decide_response(response=first, accept=True, reason="", author=world.amina, now=now)

    with pytest.raises(services.UnableToDecide, match="Nothing is left"):
        services.decide_response(response=second, accept=True, reason="", author=world.amina, now=now)

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
    response = services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    with pytest.raises(services.UnableToDecide, match="Enter why"):
        services.decide_response(response=response, accept=False, reason=" ", author=world.amina, now=now)
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


def test_an_ask_that_everybody_declines_is_declined(world: World, now: dt.datetime) -> None:
    ask = shared_entry(
        world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch, world.tidewater]
    )
    with pytest.raises(services.UnableToDecline, match="Enter why"):
        services.decline_entry(entry=ask, organisation=world.westmarch, reason="", author=world.ben, now=now)

    services.decline_entry(entry=ask, organisation=world.westmarch, reason="No land.", author=world.ben, now=now)
    assert ask.status == Status.SHARED
    services.decline_entry(entry=ask, organisation=world.tidewater, reason="Nor we.", author=world.chidi, now=now)

    assert ask.status == Status.DECLINED
    assert not ask.is_open
    assert ask.reason == "Everyone who was asked has declined."


def test_an_ask_for_the_whole_network_cannot_be_declined(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)

    with pytest.raises(services.UnableToDecline, match="whole network"):
        services.decline_entry(entry=ask, organisation=world.westmarch, reason="No.", author=world.ben, now=now)


def test_a_question_about_an_ask_is_answered_once(ask: Entry, world: World, now: dt.datetime) -> None:
    question = services.ask_question(
        entry=ask, organisation=world.westmarch, text="By when?", author=world.ben, now=now
    )
    assert "Answer the question from Westmarch Borough Council" in {
        item.action for item in tasks_from(WAITING, world.amina, now)
    }

    services.answer_question(question=question, text="By May.", author=world.amina, now=now)

    question.refresh_from_db()
    assert question.answer == "By May."
    assert question.answered_by == world.amina
    assert ask.is_unanswered
    with pytest.raises(services.UnableToAskQuestion, match="has already answered"):
        services.answer_question(question=question, text="By June.", author=world.amina, now=now)


def test_an_entry_is_referred_to_a_colleague_who_may_answer(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])

    receipt = services.refer_entry(
        entry=ask, organisation=world.larkhaven, person=world.eddie, note_to_them="Yours?", author=world.amina, now=now
    )

    assert receipt.referred_to == world.eddie
    assert ask.status == Status.ACKNOWLEDGED
    with pytest.raises(services.UnableToRefer, match="cannot answer"):
        services.refer_entry(entry=ask, organisation=world.larkhaven, person=world.vera, author=world.amina, now=now)


def test_an_entry_agreed_elsewhere_is_marked_with_a_reason(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    offer = shared_entry(world.larkhaven, world.amina, now, direction=Direction.OFFER)

    services.mark_agreed(entry=ask, reason="Agreed with Westmarch by telephone.", author=world.amina, now=now)
    services.mark_agreed(entry=offer, reason="Taken by Tidewater.", author=world.amina, now=now)

    assert ask.status == Status.ACCEPTED
    assert offer.status == Status.TAKEN_UP
    with pytest.raises(services.UnableToMarkAgreed):
        services.mark_agreed(entry=ask, reason="Again.", author=world.amina, now=now)


def test_a_standing_offer_agreed_elsewhere_stays_shared(world: World, now: dt.datetime) -> None:
    offer = shared_entry(world.larkhaven, world.amina, now, direction=Direction.OFFER, standing=True)

    services.mark_agreed(entry=offer, reason="With Westmarch by telephone.", author=world.amina, now=now)

    offer.refresh_from_db()
    assert offer.status == Status.SHARED
    assert offer.is_open
    event = Event.objects.get(target_kind="entry", target_id=offer.pk, kind="offer.agreed")
    assert event.data["reason"] == "With Westmarch by telephone."


def test_withdrawing_an_entry_declines_its_open_answers(ask: Entry, world: World, now: dt.datetime) -> None:
    response = services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    services.withdraw_entry(entry=ask, reason="Found elsewhere.", author=world.amina, now=now)

    response.refresh_from_db()
    assert response.status == ResponseStatus.DECLINED
    assert response.reason == "The ask was withdrawn: Found elsewhere."
    assert responses_to_decide(world.amina) == []
    assert Event.objects.filter(target_kind="response", target_id=response.pk, kind="answer.declined").exists()


def test_withdrawing_needs_a_reason_and_ends_the_entry(ask: Entry, world: World, now: dt.datetime) -> None:
    with pytest.raises(services.UnableToWithdrawEntry, match="Enter why"):
        services.withdraw_entry(entry=ask, reason="", author=world.amina, now=now)

    services.withdraw_entry(entry=ask, reason="Found elsewhere.", author=world.amina, now=now)

    assert ask.status == Status.WITHDRAWN
    assert not ask.is_open
    assert ask.closed_at == now
    with pytest.raises(services.UnableToRespond, match="so you can no longer answer it"):
        services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)


def test_an_unanswered_entry_lapses_the_day_after_its_closing_date(world: World, now: dt.datetime) -> None:
    closing_day = timezone.localdate(now) + dt.timedelta(days=10)
    unanswered = shared_entry(world.larkhaven, world.amina, now, closes_on=closing_day)
    answered = shared_entry(world.larkhaven, world.amina, now, closes_on=closing_day)
    services.respond(entry=answered, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    assert services.lapse_due_entries(now=now + dt.timedelta(days=10)) == 0
    assert services.lapse_due_entries(now=now + dt.timedelta(days=11)) == 1
    assert services.lapse_due_entries(now=now + dt.timedelta(days=11)) == 0

    unanswered.refresh_from_db()
    answered.refresh_from_db()
    # An answer acknowledges the ask, and an entry that has been answered does not lapse.
    assert unanswered.status == Status.LAPSED
    assert answered.status == Status.ACKNOWLEDGED


def test_the_closing_date_follows_the_period_and_a_new_date_gets_a_reminder(world: World, now: dt.datetime) -> None:
    day = timezone.localdate(now) + dt.timedelta(days=10)
    ask = shared_entry(world.larkhaven, world.amina, now, available_until=day)
    Entry.objects.filter(pk=ask.pk).update(reminded_at=now)
    later_day = day + dt.timedelta(days=30)

    services.edit_entry(entry=ask, author=world.amina, now=now, available_until=later_day, closes_on=day)

    assert ask.closes_on == later_day
    assert ask.reminded_at is None
    chosen_day = later_day - dt.timedelta(days=5)
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=chosen_day)
    services.edit_entry(entry=ask, author=world.amina, now=now, available_until=later_day + dt.timedelta(days=5))
    assert ask.closes_on == chosen_day
    with pytest.raises(services.UnableToEditEntry, match="Choose a later date"):
        services.edit_entry(
            entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now) - dt.timedelta(days=1)
        )


def test_a_later_closing_date_reopens_the_rest_of_a_part_accepted_ask(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now))
    answer = services.respond(
        entry=ask, organisation=world.westmarch, text="40.", quantity=Decimal(40), author=world.ben, now=now
    )
    services.decide_response(response=answer, accept=True, reason="", author=world.amina, now=now)
    later = now + dt.timedelta(days=2)
    services.lapse_due_entries(now=later)
    ask.refresh_from_db()
    assert not ask.is_open

    services.edit_entry(entry=ask, author=world.amina, now=later, closes_on=later.date() + dt.timedelta(days=9))

    assert ask.status == Status.PART_ACCEPTED
    assert ask.is_open


def test_stored_counts_follow_entries_for_the_whole_network(world: World, now: dt.datetime) -> None:
    def counts_by_status() -> dict[str, int]:
        counts: dict[str, int] = {}
        for row in EntryCount.objects.all():
            counts[row.status] = counts.get(row.status, 0) + row.number
        return {status: number for status, number in counts.items() if number}

    entry = shared_entry(world.larkhaven, world.amina, now)
    shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch])
    draft(world.larkhaven, world.amina, now)
    assert counts_by_status() == {"shared": 1}

    services.withdraw_entry(entry=entry, reason="Found elsewhere.", author=world.amina, now=now)

    assert counts_by_status() == {"withdrawn": 1}
