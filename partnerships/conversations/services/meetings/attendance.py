"""Services that record who is coming to a meeting and who attended it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Answer, Attendance, Meeting, MeetingSeat, MeetingStatus
from partnerships.conversations.queries.meetings import people_who_may_come, side_of_person
from partnerships.conversations.quorum import count_quorum
from partnerships.conversations.rights import rights_over_meetings
from partnerships.conversations.services.meetings.planning import ONLY_EDITORS, Guest
from partnerships.conversations.services.meetings.recording import lock_meeting, parties_that_count, record_event
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

    The person invited or a colleague of theirs can answer.
    """
    meeting = lock_meeting(seat.meeting)
    locked_seat = MeetingSeat.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=seat.pk)
    may_answer = rights_over_meetings(meeting.partnership, author, now).may_answer_for(locked_seat)
    require(may_answer, "Only the person invited, or editors of their organisation, can say whether they are coming.")
    if not meeting.is_planned:
        raise UnableToAnswerMeeting(f"The meeting {meeting.ended_words}, so you can no longer answer.")
    if answer not in Answer.values:
        raise UnableToAnswerMeeting("Say whether you are coming.")
    locked_seat.answer, locked_seat.answered_at, locked_seat.answered_by = answer, now, author
    locked_seat.save(update_fields=["answer", "answered_at", "answered_by"])
    record_event(
        meeting,
        EventKind.MEETING_ANSWERED,
        author=author,
        organisation=locked_seat.organisation,
        now=now,
        after=Answer(answer).label,
    )
    return locked_seat


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

    `attendance` maps the ids of seats to `Attendance`; `people` and `guests` came without an invitation. Attendance can
    be corrected until the minutes are agreed. The number of parties needed for a quorum stays as first recorded.
    """
    current = lock_meeting(meeting)
    require(rights_over_meetings(current.partnership, author, now).may_edit_for(organisation), ONLY_EDITORS)
    if current.is_called_off:
        raise UnableToRecordAttendance("The meeting was called off, so there is no attendance to record.")
    if current.starts_at > now:
        raise UnableToRecordAttendance("The meeting has not started yet. Record who attended once it has.")
    if current.conversation is not None and current.conversation.is_locked:
        raise UnableToRecordAttendance("The minutes are agreed, so you can no longer change who attended.")
    if set(attendance.values()) - set(Attendance.values):
        raise UnableToRecordAttendance("Choose present, apologies or absent.")
    for seat in current.seats.order_by("pk"):
        if seat.pk in attendance:
            seat.attendance = attendance[seat.pk]
            seat.save(update_fields=["attendance"])
    _add_seats(current, people, guests, now=now)
    counted_ids = parties_that_count(current)
    present_seats = current.seats.filter(attendance=Attendance.PRESENT, organisation__isnull=False)
    is_first_record = not current.is_held
    needed = current.partnership.quorum if is_first_record else current.quorum_needed
    quorum = count_quorum(
        counted_ids=counted_ids, present_ids=set(present_seats.values_list("organisation_id", flat=True)), needed=needed
    )
    current.status, current.attendance_at, current.attendance_by = MeetingStatus.HELD, now, author
    current.quorum_needed, current.quorum_present = quorum.needed, quorum.present
    current.save(update_fields=["status", "attendance_at", "attendance_by", "quorum_needed", "quorum_present"])
    record_event(
        current,
        EventKind.ATTENDANCE_RECORDED,
        author=author,
        organisation=organisation,
        now=now,
        after={"quorum": quorum.words},
    )
    return current


def _add_seats(meeting: Meeting, people: Sequence[User], guests: Sequence[Guest], *, now: dt.datetime) -> None:
    """Add seats for people and guests who came without an invitation.

    Raises `UnableToRecordAttendance` if a person does not act for an organisation in the partnership.
    """
    people_by_id = people_who_may_come(meeting.partnership).in_bulk([person.pk for person in people])
    seated_ids = set(meeting.seats.exclude(person=None).values_list("person_id", flat=True))
    for person in people:
        if person.pk not in people_by_id:
            raise UnableToRecordAttendance(
                f"{person.display_name} does not act for an organisation in this partnership. Choose someone who does."
            )
    MeetingSeat.objects.bulk_create(
        [
            *(
                MeetingSeat(
                    meeting=meeting,
                    person=person,
                    organisation=side_of_person(meeting.partnership, person),
                    invited_at=now,
                    attendance=Attendance.PRESENT,
                )
                for person in people
                if person.pk not in seated_ids
            ),
            *(
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
            ),
        ]
    )
