"""Services that plan a meeting, change it and call it off."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.models import Partnership
from partnerships.agreements.services.recording import lock_partnership
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Format, Meeting, MeetingSeat, MeetingStatus
from partnerships.conversations.queries.meetings import party_of_person, possible_attendees
from partnerships.conversations.rights import rights_over_meetings
from partnerships.conversations.services.meetings.cycles import LENGTHS
from partnerships.conversations.services.meetings.recording import (
    email_people,
    email_uninvited,
    lock_meeting,
    record_event,
)
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

ONLY_EDITORS = "Only editors and leads of the partners can plan meetings. Observers cannot."


class UnableToPlan(Exception):
    """Raised if the partnership has ended, or the plan is incomplete."""


class UnableToChangeMeeting(UnableToPlan):
    """Raised if the meeting is no longer planned, or the reason is missing."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A person without an account who is invited to a meeting."""

    name: str
    job_title: str = ""
    organisation: Organisation | None = None


@dataclass(frozen=True, slots=True)
class MeetingPlan:
    """The content of a planned meeting, and the people to invite."""

    title: str
    starts_at: dt.datetime
    minutes: int
    format: str = Format.VIDEO
    place: str = ""
    link: str = ""
    note: str = ""
    people: Sequence[User] = field(default_factory=tuple)
    guests: Sequence[Guest] = field(default_factory=tuple)


@transaction.atomic
def plan_meeting(
    *,
    partnership: Partnership,
    organisation: Organisation,
    plan: MeetingPlan,
    author: User,
    now: dt.datetime,
    cycle_day: dt.date | None = None,
    key: uuid.UUID | None = None,
) -> Meeting:
    """Plan a meeting for a party, and email the people invited. Raises `UnableToPlan`.

    `cycle_day` is the day of the meeting cycle that the meeting is for. If the form's `key` was used before,
    the meeting that was planned then is returned.
    """
    if existing := _planned_with_key(key, author):
        return existing
    partnership = lock_partnership(partnership.pk)
    require(rights_over_meetings(partnership, author, now).may_edit_for(organisation), ONLY_EDITORS)
    if partnership.is_over:
        raise UnableToPlan("This partnership has ended, so you cannot plan a meeting.")
    _check(plan, now)

    try:
        with transaction.atomic():
            meeting = Meeting.objects.create(
                partnership=partnership,
                organisation=organisation,
                cycle_day=cycle_day,
                created_by=author,
                created_at=now,
                key=key,
                **_fields(plan),
            )
    except IntegrityError:
        # The same form was sent twice at once, and the other request has just planned the meeting.
        if existing := _planned_with_key(key, author):
            return existing
        raise
    seat_people(meeting, plan, now=now)

    record_event(
        meeting,
        EventKind.MEETING_PLANNED,
        author=author,
        organisation=organisation,
        now=now,
        after={"date": meeting.date_and_time},
    )
    email_people("meeting_invitation", meeting, author=author, now=now)
    return meeting


def _planned_with_key(key: uuid.UUID | None, author: User) -> Meeting | None:
    """Return the meeting that the author planned with this form's key; None if there is none."""
    return Meeting.objects.filter(key=key, created_by=author).first() if key else None


@transaction.atomic
def change_meeting(
    *, meeting: Meeting, plan: MeetingPlan, organisation: Organisation, author: User, now: dt.datetime, reason: str = ""
) -> Meeting:
    """Change a planned meeting, and email the people invited. Raises `UnableToPlan`.

    - New people get the invitation. People who are no longer invited get an email about that.
    - The other people get an email if the time, length or place changed. The author gets that email too, because
      the attached calendar file moves the meeting in their own calendar.
    - A new time needs a reason, and everyone invited is asked again whether they are coming.
    """
    meeting = lock_meeting(meeting)
    require(rights_over_meetings(meeting.partnership, author, now).may_edit_for(organisation), ONLY_EDITORS)
    _check_change(meeting, plan, reason, now)

    before = {"date": meeting.date_and_time, "place": meeting.location}
    minutes_before = meeting.minutes
    ids_invited_before = set(meeting.seats.exclude(person=None).values_list("person_id", flat=True))
    _save_change(meeting, plan, now=now)

    after = {"date": meeting.date_and_time, "place": meeting.location}
    record_event(
        meeting,
        EventKind.MEETING_CHANGED,
        author=author,
        organisation=organisation,
        now=now,
        before=before,
        after=after,
        reason=reason.strip(),
    )

    ids_invited_now = {person.pk for person in plan.people}
    email_people("meeting_invitation", meeting, author=author, now=now, only=ids_invited_now - ids_invited_before)
    email_uninvited(meeting, ids_invited_before - ids_invited_now, author=author, now=now, when=before["date"])
    if before != after or minutes_before != meeting.minutes:
        email_people(
            "meeting_changed",
            meeting,
            author=author,
            now=now,
            only=ids_invited_before,
            with_author=True,
            before=before | {"minutes": str(minutes_before)},
            reason=reason.strip(),
        )
    return meeting


def _check_change(meeting: Meeting, plan: MeetingPlan, reason: str, now: dt.datetime) -> None:
    """Raise `UnableToChangeMeeting` or `UnableToPlan` if the meeting cannot be changed in this way."""
    if meeting.partnership.is_over:
        raise UnableToChangeMeeting(
            "This partnership has ended, so you cannot change its meetings. Call the meeting off instead."
        )
    if not meeting.is_planned:
        raise UnableToChangeMeeting(f"The meeting {meeting.ended_words}, so you can no longer change it.")
    _check(plan, now)
    if plan.starts_at != meeting.starts_at and not reason.strip():
        raise UnableToChangeMeeting("Enter why the time is changing.")


def _save_change(meeting: Meeting, plan: MeetingPlan, *, now: dt.datetime) -> None:
    """Save the new plan and who is invited. A change of time deletes the answers, which were for the old time."""
    has_new_time = plan.starts_at != meeting.starts_at
    new_values = _fields(plan)
    for field_name, value in new_values.items():
        setattr(meeting, field_name, value)
    meeting.save(update_fields=list(new_values))
    if has_new_time:
        meeting.seats.update(answer="", answered_at=None, answered_by=None)
    seat_people(meeting, plan, now=now)


@transaction.atomic
def call_off_meeting(
    *, meeting: Meeting, reason: str, organisation: Organisation, author: User, now: dt.datetime
) -> Meeting:
    """Call off a planned meeting, with a reason, and email the people invited. Raises `UnableToChangeMeeting`."""
    meeting = lock_meeting(meeting)
    require(rights_over_meetings(meeting.partnership, author, now).may_edit_for(organisation), ONLY_EDITORS)
    if not meeting.is_planned:
        raise UnableToChangeMeeting(f"The meeting {meeting.ended_words}, so you cannot call it off.")
    if not reason.strip():
        raise UnableToChangeMeeting("Enter a reason.")
    _call_off(meeting, reason, organisation=organisation, author=author, now=now)
    return meeting


def call_off_with_partnership(ending: PartnershipEnding) -> None:
    """Call off the planned meetings of a partnership that is over, and email the people invited."""
    meetings = Meeting.objects.select_for_update(of=("self",)).select_related("partnership", "organisation")
    for meeting in list(meetings.upcoming(ending.now).filter(partnership=ending.partnership).order_by("pk")):
        _call_off(meeting, ending.reason, organisation=None, author=ending.author, now=ending.now)


def _call_off(
    meeting: Meeting, reason: str, *, organisation: Organisation | None, author: User | None, now: dt.datetime
) -> None:
    """Call off a meeting, record the event, and email the people invited, including the author."""
    meeting.status = MeetingStatus.CALLED_OFF
    meeting.reason = reason.strip()
    meeting.save(update_fields=["status", "reason"])
    record_event(
        meeting,
        EventKind.MEETING_CALLED_OFF,
        author=author,
        organisation=organisation,
        now=now,
        before=MeetingStatus.PLANNED.label,
        after=MeetingStatus.CALLED_OFF.label,
        reason=meeting.reason,
    )
    email_people("meeting_called_off", meeting, author=author, now=now, with_author=True)


def _fields(plan: MeetingPlan) -> dict[str, object]:
    """Return the fields of the meeting that the plan sets."""
    return {
        "title": plan.title.strip(),
        "starts_at": plan.starts_at,
        "minutes": plan.minutes,
        "format": plan.format,
        "place": plan.place.strip(),
        "link": plan.link.strip(),
        "note": plan.note.strip(),
    }


def _check(plan: MeetingPlan, now: dt.datetime) -> None:
    """Raise `UnableToPlan` if the plan is incomplete or in the past."""
    if not plan.title.strip():
        raise UnableToPlan("Enter a title.")
    if plan.minutes not in LENGTHS:
        raise UnableToPlan("Enter a length between 5 minutes and 24 hours.")
    if plan.starts_at < now:
        raise UnableToPlan(f"{long_date(plan.starts_at.date())} is in the past. Record a conversation instead.")


def seat_people(meeting: Meeting, plan: MeetingPlan, *, now: dt.datetime) -> None:
    """Store exactly the people and guests of the plan as invited. People who were invited before keep their seats.

    Raises `UnableToPlan` for a new person who does not act for a party.
    """
    invited_ids = {person.pk for person in plan.people}
    seated_ids = set(meeting.seats.exclude(person=None).values_list("person_id", flat=True))
    new_people = [person for person in plan.people if person.pk not in seated_ids]
    possible_ids = possible_attendees(meeting.partnership).in_bulk(invited_ids).keys()
    for person in new_people:
        if person.pk not in possible_ids:
            raise UnableToPlan(
                f"{person.display_name} does not act for an organisation in this partnership. Choose someone who does."
            )

    meeting.seats.filter(person__isnull=False).exclude(person__in=invited_ids).delete()
    MeetingSeat.objects.bulk_create(
        MeetingSeat(
            meeting=meeting,
            person=person,
            organisation=party_of_person(meeting.partnership, person),
            invited_at=now,
        )
        for person in new_people
    )

    meeting.seats.filter(person=None).delete()
    MeetingSeat.objects.bulk_create(
        MeetingSeat(
            meeting=meeting,
            organisation=guest.organisation,
            name=guest.name.strip()[:150],
            job_title=guest.job_title.strip()[:150],
            invited_at=now,
        )
        for guest in plan.guests
        if guest.name.strip()
    )
