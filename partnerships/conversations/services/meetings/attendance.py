"""Services that record who is coming to a meeting and who attended it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Answer, Attendance, Meeting, MeetingSeat, MeetingStatus
from partnerships.conversations.queries.meetings import party_of_person, possible_attendees
from partnerships.conversations.quorum import Quorum, count_quorum
from partnerships.conversations.rights import rights_over_meetings
from partnerships.conversations.services.meetings.planning import ONLY_EDITORS, Guest
from partnerships.conversations.services.meetings.recording import ids_in_quorum_at, lock_meeting, record_event
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToAnswerMeeting(Exception):
    """Raised if the meeting is no longer planned, or the answer is missing."""


class UnableToRecordAttendance(Exception):
    """Raised if the meeting has not begun, was called off, or has agreed minutes.

    Also raised if an attendance is invalid, or a person does not act for a partner.
    """


@transaction.atomic
def answer_meeting(*, seat: MeetingSeat, answer: str, author: User, now: dt.datetime) -> MeetingSeat:
    """Record whether a person is coming. Raises `UnableToAnswerMeeting`.

    The person invited can answer, and so can editors of their organisation.
    """
    meeting = lock_meeting(seat.meeting)
    seat = MeetingSeat.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=seat.pk)
    may_answer = rights_over_meetings(meeting.partnership, author, now).may_answer_for(seat)
    require(may_answer, "Only the person invited, or editors of their organisation, can say whether they are coming.")
    if not meeting.is_planned:
        raise UnableToAnswerMeeting(f"The meeting {meeting.ended_words}, so you can no longer answer.")
    if answer not in Answer.values:
        raise UnableToAnswerMeeting("Say whether you are coming.")

    seat.answer, seat.answered_at, seat.answered_by = answer, now, author
    seat.save(update_fields=["answer", "answered_at", "answered_by"])
    record_event(
        meeting,
        EventKind.MEETING_ANSWERED,
        author=author,
        organisation=seat.organisation,
        now=now,
        after=Answer(answer).label,
    )
    return seat


@transaction.atomic
def record_attendance(
    *,
    meeting: Meeting,
    attendance: Mapping[int, str],
    organisation: Organisation,
    author: User,
    now: dt.datetime,
    people: Sequence[User] = (),
    guests: Sequence[Guest] = (),
) -> Meeting:
    """Record who attended, and mark the meeting as held. Raises `UnableToRecordAttendance`.

    `attendance` has a value of `Attendance` for each seat, by the seat's id. `people` and `guests` came without an
    invitation. Attendance can be corrected until the minutes are agreed.
    """
    meeting = lock_meeting(meeting)
    require(rights_over_meetings(meeting.partnership, author, now).may_edit_for(organisation), ONLY_EDITORS)
    _check_attendance(meeting, attendance, now)

    for seat in meeting.seats.order_by("pk"):
        if seat.pk in attendance:
            seat.attendance = attendance[seat.pk]
            seat.save(update_fields=["attendance"])
    _add_seats(meeting, people, guests, now=now)

    quorum = _quorum_at(meeting)
    meeting.status = MeetingStatus.HELD
    meeting.attendance_at = now
    meeting.attendance_by = author
    meeting.quorum_needed = quorum.needed
    meeting.quorum_present = quorum.present
    meeting.save(update_fields=["status", "attendance_at", "attendance_by", "quorum_needed", "quorum_present"])
    record_event(
        meeting,
        EventKind.ATTENDANCE_RECORDED,
        author=author,
        organisation=organisation,
        now=now,
        after={"quorum": quorum.words},
    )
    return meeting


def _check_attendance(meeting: Meeting, attendance: Mapping[int, str], now: dt.datetime) -> None:
    """Raise `UnableToRecordAttendance` unless the meeting has begun and its attendance may still change."""
    if meeting.is_called_off:
        raise UnableToRecordAttendance("The meeting was called off, so you do not need to record who attended.")
    if meeting.starts_at > now:
        raise UnableToRecordAttendance("The meeting has not started yet. Record who attended once it has started.")
    if meeting.conversation is not None and meeting.conversation.is_locked:
        raise UnableToRecordAttendance("The minutes are agreed, so you can no longer change who attended.")
    if set(attendance.values()) - set(Attendance.values):
        raise UnableToRecordAttendance("Choose present, apologies or absent.")


def _quorum_at(meeting: Meeting) -> Quorum:
    """Return how many parties were present, and how many a quorum needs.

    A correction of the attendance uses the number that was needed at the meeting. The partnership may have changed its
    quorum since.
    """
    present_seats = meeting.seats.filter(attendance=Attendance.PRESENT, organisation__isnull=False)
    return count_quorum(
        counted_ids=ids_in_quorum_at(meeting),
        present_ids=set(present_seats.values_list("organisation_id", flat=True)),
        needed=meeting.quorum_needed if meeting.is_held else meeting.partnership.quorum,
    )


def _add_seats(meeting: Meeting, people: Sequence[User], guests: Sequence[Guest], *, now: dt.datetime) -> None:
    """Add seats for people and guests who came without an invitation.

    Raises `UnableToRecordAttendance` if a person does not act for an organisation in the partnership.
    """
    possible_ids = possible_attendees(meeting.partnership).in_bulk([person.pk for person in people]).keys()
    for person in people:
        if person.pk not in possible_ids:
            raise UnableToRecordAttendance(
                f"{person.display_name} does not act for an organisation in this partnership. Choose someone who does."
            )

    seated_ids = set(meeting.seats.exclude(person=None).values_list("person_id", flat=True))
    seats_of_people = [
        MeetingSeat(
            meeting=meeting,
            person=person,
            organisation=party_of_person(meeting.partnership, person),
            invited_at=now,
            attendance=Attendance.PRESENT,
        )
        for person in people
        if person.pk not in seated_ids
    ]
    seats_of_guests = [
        MeetingSeat(
            meeting=meeting,
            organisation=guest.organisation,
            name=guest.name.strip()[:150],
            job_title=guest.job_title.strip()[:150],
            invited_at=now,
            attendance=Attendance.PRESENT,
        )
        for guest in guests
        if guest.name.strip()
    ]
    MeetingSeat.objects.bulk_create([*seats_of_people, *seats_of_guests])
