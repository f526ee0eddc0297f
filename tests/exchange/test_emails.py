"""People are emailed about asks and offers that concern them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Entry, Status
from partnerships.exchange.services.notices import remind_of_closing
from partnerships.people.models import User
from tests.exchange.conftest import accepted_answer, ben_answers, draft, shared_entry
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


@pytest.mark.parametrize(
    ("days_before_closing", "email_count"), [(8, 0), (7, 2)], ids=["eight days before", "a week before"]
)
def test_reminders_are_due_a_week_before_an_entry_closes(
    world: World, now: dt.datetime, days_before_closing: int, email_count: int
) -> None:
    closing_ask(world, now)

    count = remind_of_closing(now=now + dt.timedelta(days=14 - days_before_closing))

    assert count == email_count


def test_both_organisations_are_reminded_that_an_entry_closes(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now, private_note="CANARY")

    remind_of_closing(now=now + dt.timedelta(days=7))

    emails = deliver()
    assert sorted(email.to[0] for email in emails) == ["amina@larkhaven.example", "ben@westmarch.example"]
    assert all(entry.title in email.subject for email in emails)
    assert not any("CANARY" in email.body for email in emails)


def test_nobody_is_reminded_twice_that_an_entry_closes(world: World, now: dt.datetime) -> None:
    closing_ask(world, now)
    remind_of_closing(now=now + dt.timedelta(days=7))

    email_count = remind_of_closing(now=now + dt.timedelta(days=8))

    assert email_count == 0


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


@pytest.fixture
def ask_by_name(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask to Westmarch. There is also an ask to the network, and a draft."""
    fields = {"audience": Audience.NAMED, "addressees": [world.westmarch], "private_note": "CANARY"}
    entry = shared_entry(world.larkhaven, world.amina, now, **fields)
    shared_entry(world.larkhaven, world.amina, now, title="For all")
    draft(world.larkhaven, world.amina, now, title="Only a draft", **fields)
    return entry


def test_leads_of_asked_organisations_get_an_email_when_it_is_shared(ask_by_name: Entry, now: dt.datetime) -> None:
    email_count = services.email_new_entries(now=now)

    (email,) = deliver()
    assert email_count == 1
    assert email.to == ["ben@westmarch.example"]
    assert email.subject == f"New ask from Larkhaven Homes: {ask_by_name.title}"
    assert "CANARY" not in email.body


@pytest.mark.usefixtures("ask_by_name")
def test_leads_get_only_one_email_about_a_new_ask(now: dt.datetime) -> None:
    services.email_new_entries(now=now)

    email_count = services.email_new_entries(now=now)

    assert email_count == 0


@pytest.mark.usefixtures("ask")
def test_leads_of_the_other_parties_get_an_email_when_it_is_shared(now: dt.datetime) -> None:
    email_count = services.email_new_entries(now=now)

    assert email_count == 1
    assert recipients() == ["ben@westmarch.example"]


@pytest.mark.usefixtures("ask")
def test_nobody_gets_an_email_about_an_ask_that_was_shared_two_days_ago(now: dt.datetime) -> None:
    email_count = services.email_new_entries(now=now + dt.timedelta(days=2))

    assert email_count == 0


def email_after_post(person: User, name: str, pk: int, **data: Any) -> EmailMessage:
    """Submit a form about an ask as this person, and return the one email that is sent because of it.

    The email must not repeat what people wrote, which all these tests begin with "CANARY".
    """
    deliver().clear()
    response = signed_in(person).post(reverse(f"exchange:{name}", args=[pk]), data)
    assert response.status_code == 302
    (email,) = deliver()
    assert "CANARY" not in email.body
    return email


def test_the_author_of_an_ask_is_emailed_a_question(ask: Entry, world: World) -> None:
    email = email_after_post(
        world.ben, "ask-question", ask.pk, text="CANARY: by when?", organisation=world.westmarch.pk
    )

    assert email.to == ["amina@larkhaven.example"]
    assert email.subject == f"Westmarch Borough Council has asked a question about your ask: {ask.title}"


def test_the_person_who_asked_is_emailed_the_answer_to_a_question(ask: Entry, world: World, now: dt.datetime) -> None:
    question = services.ask_question(
        entry=ask, organisation=world.westmarch, text="By when?", author=world.ben, now=now
    )

    email = email_after_post(world.amina, "answer-question", question.pk, text="CANARY: by May.")

    assert email.to == ["ben@westmarch.example"]
    assert email.subject == f"Larkhaven Homes has answered your question about its ask: {ask.title}"


def test_the_author_of_an_ask_is_emailed_an_answer(ask: Entry, world: World) -> None:
    email = email_after_post(
        world.ben, "respond", ask.pk, text="CANARY: forty.", quantity="40", organisation=world.westmarch.pk
    )

    assert email.to == ["amina@larkhaven.example"]
    assert email.subject == f"Westmarch Borough Council has answered your ask: {ask.title}"


def test_the_author_of_an_answer_is_emailed_that_it_is_accepted(ask: Entry, world: World, now: dt.datetime) -> None:
    answer = ben_answers(ask, world, now, quantity=40)

    email = email_after_post(world.eddie, "decide", answer.pk, decision="accept")

    assert email.to == ["ben@westmarch.example"]
    assert email.subject == f"Larkhaven Homes has accepted your answer to this ask: {ask.title}"


def test_the_author_of_an_ask_is_emailed_a_second_answer(ask: Entry, world: World, now: dt.datetime) -> None:
    accepted_answer(ask, world, now, quantity=40)

    email = email_after_post(
        world.ben, "respond", ask.pk, text="CANARY: and ten.", quantity="10", organisation=world.westmarch.pk
    )

    assert email.to == ["amina@larkhaven.example"]
    assert email.subject == f"Westmarch Borough Council has answered your ask: {ask.title}"


def test_the_author_of_an_answer_is_emailed_that_the_ask_is_withdrawn(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    ben_answers(ask, world, now, quantity=40)

    email = email_after_post(world.eddie, "withdraw", ask.pk, reason="CANARY: found elsewhere.")

    assert email.to == ["ben@westmarch.example"]
    assert email.subject == f"Larkhaven Homes has declined your answer to this ask: {ask.title}"


def test_leads_get_the_email_about_a_decline_if_the_author_has_left(world: World, now: dt.datetime) -> None:
    entry = closing_ask(world, now)
    Entry.objects.filter(pk=entry.pk).update(created_by=world.lena)

    email = email_after_post(world.ben, "decline", entry.pk, organisation=world.westmarch.pk, reason="CANARY: no land.")

    assert email.to == ["amina@larkhaven.example"]
    assert email.subject == f"Westmarch Borough Council has declined your ask: {entry.title}"
