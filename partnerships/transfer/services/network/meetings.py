"""Replay how meetings and series of meetings were planned, answered and held, and their minutes written."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.utils import timezone

from partnerships.conversations.cycle import Cycle, Unit
from partnerships.conversations.models import Attendance
from partnerships.conversations.services.contents import AttendeeInput, Record
from partnerships.conversations.services.meetings.agendas import (
    AgendaLine,
    circulate_agenda,
    edit_agenda,
    gather_agenda,
)
from partnerships.conversations.services.meetings.attendance import answer_meeting, record_attendance
from partnerships.conversations.services.meetings.cycles import Sitting, set_cycle
from partnerships.conversations.services.meetings.minutes import write_minutes
from partnerships.conversations.services.meetings.planning import Guest, MeetingPlan, call_off_meeting, plan_meeting
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_meetings(network: Network) -> None:
    """Schedule when meetings were planned, answered and held, and their agendas and minutes circulated."""
    for index, item in enumerate(network.file["meeting_cycles"]):
        network.schedule(item["at"], f"meeting_cycles[{index}]", partial(_set_cycle, network, item))
    for index, item in enumerate(network.file["meetings"]):
        path = f"meetings[{index}]"
        network.schedule(item["planned"], path, partial(_plan, network, item))
        for number, answer in enumerate(item["answers"]):
            network.schedule(answer["at"], f"{path}.answers[{number}]", partial(_answer, network, item, answer))
        for event_name, replay in (("circulated", _circulate), ("attended", _attend), ("minutes_written", _minute)):
            if item[event_name]:
                network.schedule(item[event_name], f"{path}.{event_name}", partial(replay, network, item))
        if item["called_off"]:
            network.schedule(item["called_off"]["at"], f"{path}.called_off", partial(_call_off, network, item))


def _time(text: str) -> dt.time:
    """Return the time of day in a text. Raises `UnableToLoad` if it is not a time."""
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        raise UnableToLoad(f"“{text}” is not a time.", "Enter a time, for example 10:30.") from None


def _set_cycle(network: Network, item: Item, now: dt.datetime) -> None:
    """Set how often the partnership meets."""
    partnership = partnership_of(network, item["partnership"])
    assert partnership is not None  # required in the file
    set_cycle(
        partnership=partnership,
        cycle=Cycle(
            unit=Unit(item["unit"]),
            interval=item["interval"],
            weekday=item["weekday"],
            position=item["position"] or 0,
            starts_on=item["starts_on"],
        ),
        sitting=Sitting(_time(item["time"]), item["minutes"], item["how"], item["place"]),
        on_holiday=item["on_holiday"],
        organisation=None,
        author=network.actor(item["by"]),
        now=now,
    )


def _plan(network: Network, item: Item, now: dt.datetime) -> None:
    """Plan the meeting. Its agenda has the file's items first, and then items gathered from other rooms."""
    partnership = partnership_of(network, item["partnership"])
    assert partnership is not None  # required in the file
    author, organisation = network.actor(item["by"]), network.organisations[item["organisation"]]
    meeting = plan_meeting(
        partnership=partnership,
        organisation=organisation,
        plan=MeetingPlan(
            title=item["title"],
            starts_at=timezone.make_aware(dt.datetime.combine(item["day"], _time(item["time"]))),
            minutes=item["minutes"],
            format=item["how"],
            place=item["place"],
            note=item["note"],
            people=[network.people[key] for key in item["people"]],
            guests=[Guest(name) for name in item["guests"]],
        ),
        author=author,
        now=now,
    )
    gather_agenda(meeting=meeting, organisation=organisation, author=author, now=now)
    meeting.refresh_from_db()
    gathered_lines = [
        AgendaLine(item_line, item_line.title, item_line.purpose)
        for item_line in meeting.agenda.order_by("position", "pk")
    ]
    edit_agenda(
        meeting=meeting,
        lines=[*_agenda_lines(network, item), *gathered_lines],
        organisation=organisation,
        revision=meeting.revision,
        author=author,
        now=now,
    )
    meeting.refresh_from_db()
    network.remember("meetings", item["key"], meeting)


def _agenda_lines(network: Network, item: Item) -> list[AgendaLine]:
    """Return the items of the agenda that the file has for a meeting."""
    return [
        AgendaLine(
            item=None,
            title=line["title"],
            purpose=line["purpose"],
            minutes=line["minutes"],
            presenter=network.people[line["presenter"]] if line["presenter"] else None,
        )
        for line in item["items"]
    ]


def _circulate(network: Network, item: Item, now: dt.datetime) -> None:
    """Circulate the agenda as it is now."""
    meeting = network.recall("meetings", item["key"])
    meeting.refresh_from_db()
    circulate_agenda(
        meeting=meeting,
        organisation=network.organisations[item["organisation"]],
        revision=meeting.revision,
        author=network.actor(item["by"]),
        now=now,
    )


def _answer(network: Network, item: Item, answer: Item, now: dt.datetime) -> None:
    """Record whether a person is coming."""
    seat = network.recall("meetings", item["key"]).seats.get(person=network.people[answer["person"]])
    answer_meeting(seat=seat, answer=answer["answer"], author=network.people[answer["person"]], now=now)


def _call_off(network: Network, item: Item, now: dt.datetime) -> None:
    """Call the meeting off, with the reason in the file."""
    call_off_meeting(
        meeting=network.recall("meetings", item["key"]),
        reason=item["called_off"]["reason"],
        organisation=network.organisations[item["organisation"]],
        author=network.actor(item["by"]),
        now=now,
    )


def _attend(network: Network, item: Item, now: dt.datetime) -> None:
    """Mark the people in the file, and all guests, as present, and everybody else as sending apologies."""
    meeting = network.recall("meetings", item["key"])
    present_ids = {network.people[key].pk for key in item["present"]}
    seats = meeting.seats.all()
    present, apologies = Attendance.PRESENT.value, Attendance.APOLOGIES.value
    record_attendance(
        meeting=meeting,
        attendance={
            seat.pk: present if seat.is_guest or seat.person_id in present_ids else apologies for seat in seats
        },
        organisation=network.organisations[item["organisation"]],
        author=network.actor(item["by"]),
        now=now,
    )


def _minute(network: Network, item: Item, now: dt.datetime) -> None:
    """Write minutes of the meeting for everybody who was marked as present."""
    meeting = network.recall("meetings", item["key"])
    meeting.refresh_from_db()
    organisation = network.organisations[item["organisation"]]
    present_seats = meeting.seats.filter(attendance=Attendance.PRESENT, organisation__isnull=False)
    seats = list(present_seats.select_related("organisation", "person").order_by("pk"))
    other_organisations = {
        seat.organisation_id: seat.organisation for seat in seats if seat.organisation_id != organisation.pk
    }
    write_minutes(
        meeting=meeting,
        record=Record(
            subject=meeting.title,
            held_on=meeting.day,
            planned=False,
            format=meeting.format,
            organisations=list(other_organisations.values()),
            partnership=meeting.partnership,
            said=item["said"],
            decisions=item["decisions"],
            attendees=[AttendeeInput(seat.organisation, seat.person) for seat in seats if seat.person],
        ),
        organisation=organisation,
        author=network.actor(item["by"]),
        now=now,
    )
