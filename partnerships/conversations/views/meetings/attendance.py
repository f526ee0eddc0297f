"""Pages for who comes, who was there, and the minutes."""

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
from partnerships.people.form_steps import take_step
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whether one comes, or a colleague."""
    user = signed_in(request)
    seen = MeetingSeat.objects.filter(meeting__in=Meeting.objects.visible_to(user))
    seat = get_object_or_404(seen.select_related("meeting__partnership", "person", "organisation"), pk=pk)
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
        {services.UnableToAnswerMeeting: None},
        meeting=meeting,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def attendance(request: HttpRequest, pk: int) -> HttpResponse:
    """Record who was there; the quorum is counted from it."""
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
        {services.UnableToRecordAttendance: None},
        meeting=meeting,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the minutes: a conversation prefilled from agenda and attendance."""
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
        made = services.write_minutes(
            meeting=meeting,
            record=form.record,
            organisation=keeper,
            key=form.cleaned_data["key"],
            author=user,
            now=timezone.now(),
        )
        return "The minutes have been saved as a draft. Circulate them when they are ready.", made.get_absolute_url()

    refusals = {services.UnableToRecord: None, services.UnableToWriteMinutes: None}
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
    """The parties that were there; where there was no other, all of them."""
    parties = meeting.partnership.parties.present().exclude(organisation=keeper)
    present = meeting.seats.filter(attendance=Attendance.PRESENT).values("organisation")
    there = parties.filter(organisation__in=present)
    rows = (there if there.exists() else parties).select_related("organisation").order_by("organisation__name", "pk")
    return [party.organisation for party in rows]


def _initial(meeting: Meeting, sides: list[Organisation]) -> dict[str, Any]:
    """Date, people and headings from the meeting."""
    present = [seat for seat in meeting.seats.all() if seat.attendance == Attendance.PRESENT]
    sent = [seat.display_name for seat in meeting.seats.all() if seat.attendance == Attendance.APOLOGIES]
    guests = [seat for seat in present if seat.is_guest and seat.name]
    named = {side.pk for side in sides}
    heads = [f"{place}. {item.title}\n" for place, item in enumerate(items_everybody_reads(meeting), start=1)]
    outside = [seat.name for seat in guests if seat.organisation_id not in named]
    intro = [f"Also present: {', '.join(outside)}"] if outside else []
    intro += [f"Apologies: {', '.join(sent)}"] if sent else []
    following = next_planned(meeting)
    initial: dict[str, Any] = {
        "subject": meeting.title,
        "partnership": meeting.partnership,
        "state": "held",
        "held_on": meeting.day,
        "format": meeting.format,
        "attendees": [seat.person_id for seat in present if seat.person_id],
        "said": "\n".join([*intro, *([""] if intro and heads else []), *heads]),
        "next_contact_on": following.day if following else None,
    }
    for side in sides:
        lines = (seat for seat in guests if seat.organisation_id == side.pk)
        initial[f"others_{side.pk}"] = "\n".join(
            f"{seat.name}, {seat.job_title}" if seat.job_title else seat.name for seat in lines
        )
    return initial
