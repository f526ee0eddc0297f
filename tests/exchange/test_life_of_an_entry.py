"""Asks and offers go from draft to agreed, declined, lapsed or withdrawn."""

from __future__ import annotations

import datetime as dt
from collections import Counter
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
    ResponseStatus,
    Status,
)
from partnerships.exchange.queries import responses_to_decide
from tests.exchange.conftest import ben_answers, draft, shared_entry
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

    with pytest.raises(services.UnableToMarkAgreed, match="This ask is already accepted"):
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


def closing_ask(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask to the whole network, which closes in ten days."""
    return shared_entry(world.larkhaven, world.amina, now, closes_on=timezone.localdate(now) + dt.timedelta(days=10))


def test_an_unanswered_entry_is_open_on_its_closing_date(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now)

    lapsed_count = services.lapse_due_entries(now=now + dt.timedelta(days=10))

    entry.refresh_from_db()
    assert lapsed_count == 0
    assert entry.status == Status.SHARED


def test_an_unanswered_entry_lapses_the_day_after_its_closing_date(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now)

    lapsed_count = services.lapse_due_entries(now=now + dt.timedelta(days=11))

    entry.refresh_from_db()
    assert lapsed_count == 1
    assert entry.status == Status.LAPSED


def test_an_entry_lapses_only_once(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now)
    services.lapse_due_entries(now=now + dt.timedelta(days=11))

    lapsed_count = services.lapse_due_entries(now=now + dt.timedelta(days=11))

    entry.refresh_from_db()
    assert lapsed_count == 0
    assert entry.status == Status.LAPSED


def test_an_answered_entry_does_not_lapse(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now)
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


@pytest.fixture
def part_accepted_ask(ask: Entry, world: World, now: dt.datetime) -> Entry:
    """Return an ask that closes today, and for which 40 of 60 homes are accepted."""
    services.edit_entry(entry=ask, author=world.amina, now=now, closes_on=timezone.localdate(now))
    answer = ben_answers(ask, world, now, quantity=40)
    services.decide_response(response=answer, accept=True, reason="", author=world.amina, now=now)
    return ask


def test_a_part_accepted_ask_closes_after_its_closing_date(part_accepted_ask: Entry, now: dt.datetime) -> None:
    services.lapse_due_entries(now=now + dt.timedelta(days=2))

    part_accepted_ask.refresh_from_db()
    assert not part_accepted_ask.is_open


def test_a_later_closing_date_reopens_the_rest_of_a_part_accepted_ask(
    part_accepted_ask: Entry, world: World, now: dt.datetime
) -> None:
    later = now + dt.timedelta(days=2)
    services.lapse_due_entries(now=later)
    part_accepted_ask.refresh_from_db()
    new_closing_date = later.date() + dt.timedelta(days=9)

    services.edit_entry(entry=part_accepted_ask, author=world.amina, now=later, closes_on=new_closing_date)

    assert part_accepted_ask.status == Status.PART_ACCEPTED
    assert part_accepted_ask.is_open


def counts_by_status() -> dict[str, int]:
    """Return the stored number of entries of each status that has any."""
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
