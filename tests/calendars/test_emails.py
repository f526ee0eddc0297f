"""Emails about meetings and signatures bring a calendar file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from partnerships.agreements.services import change_status
from partnerships.conversations import services as conversations
from partnerships.conversations.models import Meeting
from partnerships.outbox import answers
from partnerships.outbox.draining import drain
from tests.calendars.reading import Read, read_all
from tests.conversations.gatherings import in_days, planned_meeting, the_plan
from tests.digests.conftest import read, text_of
from tests.plans.drafts import ask_signatures, published_plan
from tests.support.outbox import deliver, drop_emails
from tests.support.terms import draft, first_proposal, put_up
from tests.world import World


class Office:
    """A mail server that keeps every message as it was sent."""

    def __init__(self) -> None:
        self.sent: list[answers.Outgoing] = []

    def send(self, messages: Iterable[answers.Outgoing], while_waiting: object = None) -> Iterator[answers.Answer]:
        for message in messages:
            self.sent.append(message)
            yield answers.Answer(message.key, answers.Outcome.ACCEPTED)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def office() -> Office:
    return Office()


def to_ben(office: Office, world: World) -> EmailMessage:
    """Return the last message to Ben, once all due emails are sent."""
    drain(seconds=120, connect=lambda: office)
    return read([email.data for email in office.sent if email.recipient == world.ben.email][-1])


def calendars(message: EmailMessage) -> tuple[Read, Read]:
    """Return the calendar that programs show, and the one as a file."""
    [shown] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    [file] = message.iter_attachments()
    assert file.get_content_type() == "application/ics"
    first, second = read_all(shown.get_payload(decode=True), file.get_payload(decode=True))
    assert shown.get_param("method") == first.method
    return first, second


def change_time(world: World, meeting: Meeting, **plan: Any) -> None:
    """Move the meeting to another day as Eddie, or change its plan in other ways."""
    conversations.change_meeting(
        meeting=meeting,
        plan=replace(the_plan(world), starts_at=in_days(9), **plan),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
        reason="The hall is taken.",
    )


def call_off(world: World, meeting: Meeting) -> None:
    """Call the meeting off as Eddie."""
    conversations.call_off_meeting(
        meeting=meeting, organisation=world.larkhaven, author=world.eddie, now=timezone.now(), reason="Snow."
    )


def test_invitation_brings_the_meeting_to_the_calendar_of_the_person_invited(world: World, office: Office) -> None:
    planned_meeting(world)

    invitation, invitation_file = calendars(to_ben(office, world))

    assert invitation == invitation_file
    assert invitation.method == "REQUEST"
    assert invitation.events[0]["attendee"] == {"address": f"mailto:{world.ben.email}", "name": "Ben West"}
    assert invitation.events[0]["organiser"] == "mailto:digests@ground.example"


def test_another_time_moves_the_entry_of_the_invitation(world: World, office: Office) -> None:
    meeting = planned_meeting(world)
    invitation, _ = calendars(to_ben(office, world))

    change_time(world, meeting)
    change, _ = calendars(to_ben(office, world))

    assert change.method == "REQUEST"
    assert change.events[0]["uid"] == invitation.events[0]["uid"]
    assert change.events[0]["sequence"] == invitation.events[0]["sequence"] + 1
    assert change.events[0]["starts"]["moment"] == int(in_days(9).timestamp())


def test_person_who_moves_a_meeting_gets_a_file_for_their_own_calendar(world: World, office: Office) -> None:
    meeting = planned_meeting(world)

    change_time(world, meeting)
    change, _ = calendars(to_ben(office, world))

    # Eddie planned the meeting, so he gets no invitation and this is his only email.
    [email_to_eddie] = [email for email in office.sent if email.recipient == world.eddie.email]
    calendar_of_eddie, _ = calendars(read(email_to_eddie.data))
    assert calendar_of_eddie.events[0]["starts"] == change.events[0]["starts"]
    assert "You have changed a meeting" in text_of(read(email_to_eddie.data))


def test_calling_off_cancels_the_entry_of_the_invitation(world: World, office: Office) -> None:
    meeting = planned_meeting(world)
    invitation, _ = calendars(to_ben(office, world))
    change_time(world, meeting)

    call_off(world, meeting)
    cancellation, _ = calendars(to_ben(office, world))

    assert cancellation.method == "CANCEL"
    assert cancellation.events[0]["uid"] == invitation.events[0]["uid"]
    assert cancellation.events[0]["sequence"] == invitation.events[0]["sequence"] + 2
    assert cancellation.events[0]["status"] == "CANCELLED"


def test_meeting_leaves_the_calendar_of_somebody_no_longer_invited(world: World, office: Office) -> None:
    meeting = planned_meeting(world)
    invited, _ = calendars(to_ben(office, world))
    change_time(world, meeting, people=[world.amina, world.eddie])

    message = to_ben(office, world)
    cancelled, _ = calendars(message)

    assert cancelled.method == "CANCEL"
    assert "no longer invited" in str(message["Subject"])
    assert cancelled.events[0]["uid"] == invited.events[0]["uid"]
    assert cancelled.events[0]["status"] == "CANCELLED"
    assert cancelled.events[0]["sequence"] == invited.events[0]["sequence"] + 1


def test_another_length_reaches_the_calendar(world: World, office: Office) -> None:
    meeting = planned_meeting(world)
    invited, _ = calendars(to_ben(office, world))
    plan = replace(the_plan(world), starts_at=meeting.starts_at, minutes=240)
    conversations.change_meeting(
        meeting=meeting, plan=plan, organisation=world.larkhaven, author=world.eddie, now=timezone.now()
    )

    message = to_ben(office, world)
    longer, _ = calendars(message)

    assert "90 minutes" in text_of(message)
    assert longer.events[0]["starts"] == invited.events[0]["starts"]
    assert longer.events[0]["ends"]["moment"] - longer.events[0]["starts"]["moment"] == 240 * 60


def test_request_to_sign_brings_its_last_day(world: World, office: Office) -> None:
    plan = published_plan(world)
    drop_emails()
    day = timezone.localdate() + dt.timedelta(days=20)
    ask_signatures(plan, world, due_on=day)

    message = to_ben(office, world)
    calendar, _ = calendars(message)

    assert calendar.method == "PUBLISH"
    assert calendar.events[0]["starts"]["day"] == day.isoformat()
    assert calendar.events[0]["attendee"] is None
    assert "sign" in text_of(message)


def test_request_to_sign_terms_brings_its_last_day(world: World, office: Office) -> None:
    change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    day = timezone.localdate() + dt.timedelta(days=20)
    review = (day + dt.timedelta(days=300)).isoformat()
    proposal = draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on=review)
    drop_emails()
    put_up(proposal, world.amina, sign_by=day)

    calendar, _ = calendars(to_ben(office, world))

    assert calendar.method == "PUBLISH"
    assert calendar.events[0]["title"] == "Westmarch Borough Council to sign the terms: Estuary Partnership"
    assert calendar.events[0]["starts"]["day"] == day.isoformat()


def test_request_without_a_last_day_brings_no_file(world: World, office: Office) -> None:
    plan = published_plan(world)
    drop_emails()
    ask_signatures(plan, world)

    assert not list(to_ben(office, world).iter_attachments())


def test_providers_get_the_file_too(world: World) -> None:
    planned_meeting(world)

    [sent] = [email for email in deliver() if email.to == [world.ben.email]]

    assert settings.EMAIL_BACKEND.endswith("locmem.EmailBackend")
    assert [kind for _, kind in sent.alternatives] == ["text/html", "text/calendar; method=REQUEST"]
    assert [name for name, _, _ in sent.attachments] == ["meeting.ics"]
