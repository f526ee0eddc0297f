"""Conversations for tests, made through services."""

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
    """The date some days before today."""
    return timezone.localdate() - dt.timedelta(days=days)


def the_record(world: World, **said: Any) -> Record:
    """The record of Amina and Ben's talk about Quayside five days ago."""
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
        **said,
    )


def draft(world: World, **said: Any) -> Conversation:
    """A draft that Eddie writes for Larkhaven."""
    return services.record_conversation(
        organisation=world.larkhaven, record=the_record(world, **said), author=world.eddie, now=timezone.now()
    )


def planned(world: World, days: int = 5, **said: Any) -> Conversation:
    """A conversation that Eddie plans some days from now."""
    empty = {"said": "", "points": (), "next_steps": (), "planned": True, "held_on": days_ago(-days)}
    return draft(world, **(empty | said))


def circulated(world: World, **said: Any) -> Conversation:
    """A record circulated to Westmarch."""
    return services.circulate(conversation=draft(world, **said), author=world.eddie, now=timezone.now())


def agreed(world: World, **said: Any) -> Conversation:
    """A record agreed by Ben for Westmarch, and so locked."""
    return agree(circulated(world, **said), world.westmarch, world.ben)


def agree(conversation: Conversation, organisation: Organisation, author: User) -> Conversation:
    """Agree to the current record for one side."""
    return services.agree_record(
        conversation=conversation,
        organisation=organisation,
        revision=conversation.revision,
        author=author,
        now=timezone.now(),
    )
