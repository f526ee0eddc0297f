"""Letters of the exchange: once to both sides before an entry lapses, and once of what newly fits a saved filter."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core import mail
from django.utils import timezone

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Status
from partnerships.exchange.services.reminders import LEAD_DAYS, remind_of_closing
from tests.exchange.conftest import draft, shared
from tests.world import World


def closing(world: World, now: dt.datetime, **given: Any) -> Entry:
    """An ask to Westmarch by name that closes two weeks after it was shared."""
    last = timezone.localdate(now) + dt.timedelta(days=14)
    fields = {"audience": Audience.NAMED, "addressees": [world.westmarch], "closes_on": last} | given
    return shared(world.larkhaven, world.amina, now, **fields)


def written_to() -> list[str]:
    return sorted(letter.to[0] for letter in mail.outbox)


def test_both_sides_are_reminded_once_before_an_unanswered_entry_lapses(world: World, now: dt.datetime) -> None:
    entry = closing(world, now, private_note="CANARY")
    week_before = now + dt.timedelta(days=14 - LEAD_DAYS)

    assert remind_of_closing(now=week_before - dt.timedelta(days=1)) == 0
    assert remind_of_closing(now=week_before) == 2
    assert remind_of_closing(now=week_before + dt.timedelta(days=1)) == 0

    assert written_to() == ["amina@larkhaven.example", "ben@westmarch.example"]
    assert all(entry.title in letter.subject for letter in mail.outbox)
    assert not any("CANARY" in letter.body for letter in mail.outbox)

    services.lapse_due_entries(now=now + dt.timedelta(days=15))
    entry.refresh_from_db()
    assert entry.status == Status.LAPSED


def test_who_has_declined_or_answered_is_not_reminded(world: World, now: dt.datetime) -> None:
    entry = closing(world, now, addressees=[world.westmarch, world.tidewater])
    services.decline_entry(entry=entry, organisation=world.westmarch, reason="No land.", author=world.ben, now=now)
    answered = closing(world, now)
    services.respond(
        entry=answered, organisation=world.westmarch, text="Twenty.", quantity=20, author=world.ben, now=now
    )

    remind_of_closing(now=now + dt.timedelta(days=10))

    assert "ben@westmarch.example" not in written_to()


def test_what_newly_fits_a_saved_filter_is_told_once_and_only_what_its_person_may_read(
    world: World, now: dt.datetime
) -> None:
    for person in (world.ben, world.chidi):
        services.save_filter(
            person=person,
            name="Land",
            query="theme=land",
            filters=services.Filters(themes=("land",)),
            tells=True,
            now=now,
        )
    entry = shared(world.larkhaven, world.amina, now, audience=Audience.PARTNERSHIP, partnership=world.partnership)
    shared(
        world.westmarch,
        world.ben,
        now,
        direction=Direction.OFFER,
        title="Our own news",
        audience=Audience.NAMED,
        addressees=[world.larkhaven],
    )
    draft(world.larkhaven, world.amina, now, title="Only a draft")

    services.match_due_entries(now=now)
    assert services.tell_new_fits(now=now) == 1
    assert services.tell_new_fits(now=now) == 0

    (letter,) = mail.outbox
    assert letter.to == ["ben@westmarch.example"]
    assert entry.title in letter.body
    assert "Our own news" not in letter.body
    assert "Only a draft" not in letter.body


def test_a_filter_that_was_silenced_or_an_entry_that_is_gone_is_told_to_nobody(world: World, now: dt.datetime) -> None:
    saved = services.save_filter(
        person=world.ben, name="All", query="", filters=services.Filters(), tells=True, now=now
    )
    shared(world.larkhaven, world.amina, now)
    services.match_due_entries(now=now)
    services.tell_of_filter(saved=saved, tells=False)
    assert services.tell_new_fits(now=now) == 0

    services.tell_of_filter(saved=saved, tells=True)
    gone = shared(world.larkhaven, world.amina, now, title="Land for 70 modular homes")
    services.match_due_entries(now=now)
    services.withdraw_entry(entry=gone, reason="Found.", author=world.amina, now=now)

    assert services.tell_new_fits(now=now) == 0
    assert mail.outbox == []
