"""People are emailed about asks and offers that concern them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Entry, Status
from partnerships.exchange.services.notices import remind_of_closing
from partnerships.people.models import User
from tests.exchange.conftest import draft, shared_entry
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.world import World


def closing_ask(world: World, now: dt.datetime, **changes: Any) -> Entry:
    """Return an ask to Westmarch by name that closes two weeks after it was shared."""
    closing_day = timezone.localdate(now) + dt.timedelta(days=14)
    fields = {"audience": Audience.NAMED, "addressees": [world.westmarch], "closes_on": closing_day} | changes
    return shared_entry(world.larkhaven, world.amina, now, **fields)


def recipients() -> list[str]:
    """Return the addresses of the emails that are sent now, sorted."""
    return sorted(email.to[0] for email in deliver())


def test_both_organisations_get_one_reminder_a_week_before_an_entry_closes(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now, private_note="CANARY")
    week_before = now + dt.timedelta(days=14 - 7)

    email_counts = [remind_of_closing(now=week_before + dt.timedelta(days=day)) for day in (-1, 0, 1)]

    emails = deliver()
    assert email_counts == [0, 2, 0]
    assert sorted(email.to[0] for email in emails) == ["amina@larkhaven.example", "ben@westmarch.example"]
    assert all(entry.title in email.subject for email in emails)
    assert not any("CANARY" in email.body for email in emails)


def test_an_entry_lapses_although_people_were_reminded_of_it(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now)
    remind_of_closing(now=now + dt.timedelta(days=7))

    services.lapse_due_entries(now=now + dt.timedelta(days=15))

    entry.refresh_from_db()
    assert entry.status == Status.LAPSED


def test_organisations_that_declined_or_answered_get_no_reminder(world: World, now: dt.datetime) -> None:
    declined_ask = closing_ask(world, now, addressees=[world.westmarch, world.tidewater])
    services.decline_entry(
        entry=declined_ask, organisation=world.westmarch, reason="No land.", author=world.ben, now=now
    )
    answered_ask = closing_ask(world, now)
    services.respond(
        entry=answered_ask, organisation=world.westmarch, text="Twenty.", quantity=20, author=world.ben, now=now
    )

    remind_of_closing(now=now + dt.timedelta(days=10))

    assert "ben@westmarch.example" not in recipients()


def test_leads_of_asked_organisations_get_one_email_when_it_is_shared(world: World, now: dt.datetime) -> None:
    fields = {"audience": Audience.NAMED, "addressees": [world.westmarch], "private_note": "CANARY"}
    entry = shared_entry(world.larkhaven, world.amina, now, **fields)
    shared_entry(world.larkhaven, world.amina, now, title="For all")
    draft(world.larkhaven, world.amina, now, title="Only a draft", **fields)

    email_count = services.email_new_entries(now=now)
    email_count_of_second_run = services.email_new_entries(now=now)

    (email,) = deliver()
    assert email_count == 1
    assert email_count_of_second_run == 0
    assert email.to == ["ben@westmarch.example"]
    assert email.subject == f"New ask from Larkhaven Homes: {entry.title}"
    assert "CANARY" not in email.body


def test_leads_of_the_other_parties_get_an_email_when_it_is_shared(ask: Entry, world: World, now: dt.datetime) -> None:
    email_count = services.email_new_entries(now=now)

    assert email_count == 1
    assert recipients() == ["ben@westmarch.example"]


def test_nobody_gets_an_email_about_an_ask_that_was_shared_two_days_ago(ask: Entry, now: dt.datetime) -> None:
    email_count = services.email_new_entries(now=now + dt.timedelta(days=2))

    assert email_count == 0


def emails_after_post(person: User, name: str, pk: int, **data: Any) -> list[EmailMessage]:
    """Submit a form about an ask as this person, and return the emails that are sent because of it."""
    deliver().clear()
    response = signed_in(person).post(reverse(f"exchange:{name}", args=[pk]), data)
    assert response.status_code == 302
    return list(deliver())


def test_the_other_organisation_is_emailed_at_each_step_of_an_answer(ask: Entry, world: World) -> None:
    organisation = {"organisation": world.westmarch.pk}

    emails_by_step = {
        "question": emails_after_post(world.ben, "ask-question", ask.pk, text="CANARY: by when?", **organisation),
        "reply": emails_after_post(world.amina, "answer-question", ask.questions.get().pk, text="By May."),
        "answer": emails_after_post(world.ben, "respond", ask.pk, text="CANARY: forty.", quantity="40", **organisation),
        "decision": emails_after_post(world.eddie, "decide", ask.responses.get().pk, decision="accept"),
        "more": emails_after_post(world.ben, "respond", ask.pk, text="And ten.", quantity="10", **organisation),
        "withdrawal": emails_after_post(world.eddie, "withdraw", ask.pk, reason="CANARY: found elsewhere."),
    }

    assert {
        step: [f"{email.to[0]}: {email.subject}" for email in emails] for step, emails in emails_by_step.items()
    } == {
        "question": [
            f"amina@larkhaven.example: Westmarch Borough Council has asked a question about your ask: {ask.title}"
        ],
        "reply": [f"ben@westmarch.example: Larkhaven Homes has answered your question about its ask: {ask.title}"],
        "answer": [f"amina@larkhaven.example: Westmarch Borough Council has answered your ask: {ask.title}"],
        "decision": [f"ben@westmarch.example: Larkhaven Homes has accepted your answer to this ask: {ask.title}"],
        "more": [f"amina@larkhaven.example: Westmarch Borough Council has answered your ask: {ask.title}"],
        "withdrawal": [f"ben@westmarch.example: Larkhaven Homes has declined your answer to this ask: {ask.title}"],
    }
    # The emails do not repeat what people wrote.
    assert not any("CANARY" in email.body for emails in emails_by_step.values() for email in emails)


def test_leads_get_the_email_about_a_decline_if_the_author_has_left(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now)
    Entry.objects.filter(pk=entry.pk).update(created_by=world.lena)
    client = signed_in(world.ben)

    client.post(
        reverse("exchange:decline", args=[entry.pk]), {"organisation": world.westmarch.pk, "reason": "No land."}
    )

    (email,) = deliver()
    assert email.to == ["amina@larkhaven.example"]
    assert email.subject == f"Westmarch Borough Council has declined your ask: {entry.title}"
    assert "No land." not in email.body
