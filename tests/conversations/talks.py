"""Helpers that make conversations for tests, through services."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.utils import timezone

from partnerships.conversations import services
from partnerships.conversations.models import Conversation, Format, PointKind
from partnerships.conversations.services import AttendeeInput, NextStepInput, PointInput, Record
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from tests.world import World


def days_ago(days: int) -> dt.date:
    """Return the date some days before today."""
    return timezone.localdate() - dt.timedelta(days=days)


def the_record(world: World, **changes: Any) -> Record:
    """Return the record of Amina and Ben's talk about Quayside five days ago."""
    return replace(
        Record(
            subject="Quayside",
            held_on=days_ago(5),
            planned=False,
            format=Format.IN_PERSON,
            organisations=[world.westmarch],
            partnership=world.partnership,
            theme="land",
            said="Ben would sell the depot; Amina needs to know by June.",
            attendees=[
                AttendeeInput(world.larkhaven, world.amina),
                AttendeeInput(world.westmarch, world.ben),
                AttendeeInput(world.westmarch, name="Una Signed", job_title="Surveyor"),
            ],
            points=[
                PointInput(world.larkhaven, PointKind.OBSTACLE, "No land with consent."),
                PointInput(world.larkhaven, PointKind.OBJECTIVE, "Two hundred homes by 2030."),
                PointInput(world.westmarch, PointKind.OPPORTUNITY, "The depot falls empty in May."),
            ],
            next_steps=[
                NextStepInput(world.larkhaven, "Send the layout.", days_ago(-7), world.eddie),
                NextStepInput(world.westmarch, "Ask the valuer.", days_ago(-10), world.ben),
            ],
        ),
        **changes,
    )


def draft_conversation(world: World, **changes: Any) -> Conversation:
    """Return a draft that Eddie has written for Larkhaven."""
    return services.record_conversation(
        organisation=world.larkhaven, record=the_record(world, **changes), author=world.eddie, now=timezone.now()
    )


def planned_conversation(world: World, days: int = 5, **changes: Any) -> Conversation:
    """Return a conversation that Eddie has planned for some days from now."""
    content_of_plan = {"said": "", "points": (), "next_steps": (), "planned": True, "held_on": days_ago(-days)}
    return draft_conversation(world, **(content_of_plan | changes))


def circulated_conversation(world: World, **changes: Any) -> Conversation:
    """Return a record that is circulated to Westmarch."""
    return services.circulate(conversation=draft_conversation(world, **changes), author=world.eddie, now=timezone.now())


def agreed(world: World, **changes: Any) -> Conversation:
    """Return a record that Ben has agreed for Westmarch, so that it is locked."""
    return agree(circulated_conversation(world, **changes), world.westmarch, world.ben)


def agree(conversation: Conversation, organisation: Organisation, author: User) -> Conversation:
    """Agree to the present record for one side."""
    return services.agree_record(
        conversation=conversation,
        organisation=organisation,
        revision=conversation.revision,
        author=author,
        now=timezone.now(),
    )
