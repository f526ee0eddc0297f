"""Helpers that make meetings for tests, through services."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from partnerships.conversations import services
from partnerships.conversations.cycle import Cycle, Unit
from partnerships.conversations.models import Attendance, Meeting, MeetingCycle, MeetingSeat
from partnerships.conversations.services import AgendaLine, MeetingPlan, Sitting
from tests.world import World


def a_text_file(name: str = "map.txt") -> SimpleUploadedFile:
    """Return a file that uploads accept."""
    return SimpleUploadedFile(name, b"North to the top.")


def in_days(days: int, hour: int = 10) -> dt.datetime:
    """Return this hour on the day that is some days from today, in local time."""
    day = timezone.localdate() + dt.timedelta(days=days)
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour)))


def the_plan(world: World, **changes: Any) -> MeetingPlan:
    """Return a plan for a meeting in five days, with Amina, Eddie and Ben."""
    plan = MeetingPlan(
        title="Steering group",
        starts_at=in_days(5),
        minutes=90,
        place="Westmarch town hall",
        people=[world.amina, world.eddie, world.ben],
    )
    return replace(plan, **changes)


def planned_meeting(world: World, **changes: Any) -> Meeting:
    """Return a meeting that Eddie has planned for Larkhaven."""
    return services.plan_meeting(
        partnership=world.partnership,
        organisation=world.larkhaven,
        plan=the_plan(world, **changes),
        author=world.eddie,
        now=timezone.now(),
    )


def meeting_with_item(world: World, title: str = "Winter plan", **changes: Any) -> Meeting:
    """Return a planned meeting with one item on its agenda, which Eddie added for Larkhaven."""
    meeting = planned_meeting(world, **changes)
    return services.edit_agenda(
        meeting=meeting,
        lines=[AgendaLine(None, title, minutes=20, presenter=world.ben)],
        organisation=world.larkhaven,
        revision=meeting.revision,
        author=world.eddie,
        now=timezone.now(),
    )


def begun_meeting(world: World) -> Meeting:
    """Return a meeting that began an hour ago."""
    now = timezone.now()
    return services.plan_meeting(
        partnership=world.partnership,
        organisation=world.larkhaven,
        plan=the_plan(world, starts_at=now - dt.timedelta(hours=1)),
        author=world.eddie,
        now=now - dt.timedelta(days=3),
    )


def held_meeting(world: World) -> Meeting:
    """Return a meeting at which everybody invited was present."""
    meeting = begun_meeting(world)
    return services.record_attendance(
        meeting=meeting,
        attendance=dict.fromkeys(meeting.seats.values_list("pk", flat=True), Attendance.PRESENT),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )


def seat_of(meeting: Meeting, name: str) -> MeetingSeat:
    """Return the seat of the person whose name begins so."""
    return meeting.seats.get(person__name__startswith=name)


def a_cycle(world: World, *, place: str = "Quayside", **changes: Any) -> MeetingCycle:
    """Return a meeting cycle that Amina has set: every first Tuesday at ten."""
    today = timezone.localdate()
    return services.set_cycle(
        partnership=world.partnership,
        cycle=replace(Cycle(Unit.MONTHS, 1, 1, 1, today), **changes),
        sitting=Sitting(dt.time(10), 60, place=place),
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )
