"""Pages to answer an invitation, record who attended, and start the minutes.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import services
from partnerships.conversations.forms.meetings.attendance import AnswerMeetingForm, AttendanceForm
from partnerships.conversations.forms.record import ConversationForm
from partnerships.conversations.models import Attendance, Meeting, MeetingSeat
from partnerships.conversations.queries.agendas import items_everybody_reads
from partnerships.conversations.queries.meetings import next_planned, people_who_may_come
from partnerships.conversations.rights import rights_over_meetings
from partnerships.conversations.views.meetings.opening import acting_side, open_meeting
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def answer_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or decline the invitation to a meeting, for oneself or for a colleague."""
    user = signed_in(request)
    visible_seats = MeetingSeat.objects.filter(meeting__in=Meeting.objects.visible_to(user))
    seat = get_object_or_404(visible_seats.select_related("meeting__partnership", "person", "organisation"), pk=pk)
    meeting = seat.meeting
    require(rights_over_meetings(meeting.partnership, user, timezone.now()).may_answer_for(seat))
    form = AnswerMeetingForm(
        posted(request),
        whose="" if seat.person_id == user.pk else seat.display_name,
        cancel=meeting.get_absolute_url(),
        initial={"answer": seat.answer},
    )

    def save_answer() -> tuple[str, str]:
        services.answer_meeting(seat=seat, answer=form.cleaned_data["answer"], author=user, now=timezone.now())
        return "Your answer has been saved.", meeting.get_absolute_url()

    # `take_step` calls `save_answer` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "conversations/meetings/answer.html",
        form,
        save_answer,
        {services.UnableToAnswerMeeting: ABOVE_FORM},
        meeting=meeting,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def record_attendance(request: HttpRequest, pk: int) -> HttpResponse:
    """Record who attended a meeting. The quorum is counted from the attendance."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    form = AttendanceForm(
        posted(request),
        seats=list(meeting.seats.all()),
        people=people_who_may_come(meeting.partnership),
        cancel=meeting.get_absolute_url(),
    )

    def save_attendance() -> tuple[str, str]:
        services.record_attendance(
            meeting=meeting,
            attendance=form.attendance,
            people=list(form.cleaned_data["people"]),
            guests=form.other_guests,
            organisation=acting_side(rights),
            author=user,
            now=timezone.now(),
        )
        return "Attendance has been saved.", meeting.get_absolute_url()

    return take_step(
        request,
        "conversations/meetings/attendance.html",
        form,
        save_attendance,
        {services.UnableToRecordAttendance: ABOVE_FORM},
        meeting=meeting,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def start_minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the minutes: a conversation record that is filled from the agenda and attendance.

    A meeting has minutes only once, and only after its attendance is recorded.
    """
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    if not meeting.is_held or meeting.conversation_id is not None:
        message = "The minutes have already been started." if meeting.conversation_id else "Record who attended first."
        messages.warning(request, message)
        return redirect(meeting)
    keeper = acting_side(rights)
    others = _other_sides(meeting, keeper)
    form = ConversationForm(
        posted(request),
        user=user,
        keeper=keeper,
        others=others,
        initial=_initial(meeting, [keeper, *others]),
        cancel=meeting.get_absolute_url(),
        submit="Save minutes",
    )

    def save_minutes() -> tuple[str, str]:
        conversation = services.write_minutes(
            meeting=meeting,
            record=form.record,
            organisation=keeper,
            key=form.cleaned_data["key"],
            author=user,
            now=timezone.now(),
        )
        return (
            "The minutes have been saved as a draft. Circulate them when they are ready.",
            conversation.get_absolute_url(),
        )

    refusals = {services.UnableToRecord: ABOVE_FORM, services.UnableToWriteMinutes: ABOVE_FORM}
    return take_step(
        request,
        "conversations/meetings/minutes.html",
        form,
        save_minutes,
        refusals,
        meeting=meeting,
        keeper=keeper,
        others=others,
    )


def _other_sides(meeting: Meeting, keeper: Organisation) -> list[Organisation]:
    """Return the other parties that attended, or all other parties if none attended."""
    parties = meeting.partnership.parties.present().exclude(organisation=keeper)
    present_ids = meeting.seats.filter(attendance=Attendance.PRESENT).values("organisation")
    present_parties = parties.filter(organisation__in=present_ids)
    shown_parties = (
        (present_parties if present_parties.exists() else parties)
        .select_related("organisation")
        .order_by("organisation__name", "pk")
    )
    return [party.organisation for party in shown_parties]


def _initial(meeting: Meeting, sides: list[Organisation]) -> dict[str, Any]:
    """Return initial values for the minutes, from the meeting's date, attendance and agenda.

    The text begins with guests of no side and apologies, and then has a heading for each agenda item.
    """
    present = [seat for seat in meeting.seats.all() if seat.attendance == Attendance.PRESENT]
    apologies = [seat.display_name for seat in meeting.seats.all() if seat.attendance == Attendance.APOLOGIES]
    guests = [seat for seat in present if seat.is_guest and seat.name]
    side_ids = {side.pk for side in sides}
    headings = [f"{place}. {item.title}\n" for place, item in enumerate(items_everybody_reads(meeting), start=1)]
    names_of_other_guests = [seat.name for seat in guests if seat.organisation_id not in side_ids]
    introduction = [f"Also present: {', '.join(names_of_other_guests)}"] if names_of_other_guests else []
    introduction += [f"Apologies: {', '.join(apologies)}"] if apologies else []
    next_meeting = next_planned(meeting)
    initial: dict[str, Any] = {
        "subject": meeting.title,
        "partnership": meeting.partnership,
        "state": "held",
        "held_on": meeting.day,
        "format": meeting.format,
        "attendees": [seat.person_id for seat in present if seat.person_id],
        "said": "\n".join([*introduction, *([""] if introduction and headings else []), *headings]),
        "next_contact_on": next_meeting.day if next_meeting else None,
    }
    for side in sides:
        guests_of_side = (seat for seat in guests if seat.organisation_id == side.pk)
        initial[f"others_{side.pk}"] = "\n".join(
            f"{seat.name}, {seat.job_title}" if seat.job_title else seat.name for seat in guests_of_side
        )
    return initial
