"""Pages to answer an invitation, record who attended, and start the minutes."""

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
from partnerships.conversations.queries.meetings import next_meeting_after, possible_attendees
from partnerships.conversations.rights import MeetingRights, rights_over_meetings
from partnerships.conversations.views.meetings.opening import acting_party, open_meeting
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
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
        post_data(request),
        whose="" if seat.person_id == user.pk else seat.display_name,
        cancel=meeting.get_absolute_url(),
        initial={"answer": seat.answer},
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToAnswerMeeting):
            services.answer_meeting(seat=seat, answer=form.cleaned_data["answer"], author=user, now=timezone.now())
            messages.success(request, "Your answer has been saved.")
            return redirect(meeting)

    return form_page(request, "conversations/meetings/answer.html", form, meeting=meeting)


@require_http_methods(["GET", "HEAD", "POST"])
def record_attendance(request: HttpRequest, pk: int) -> HttpResponse:
    """Record who attended a meeting. The quorum is counted from the attendance."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    form = AttendanceForm(
        post_data(request),
        seats=list(meeting.seats.all()),
        people=possible_attendees(meeting.partnership),
        cancel=meeting.get_absolute_url(),
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToRecordAttendance):
            services.record_attendance(
                meeting=meeting,
                attendance=form.attendance,
                people=list(form.cleaned_data["people"]),
                guests=form.other_guests,
                organisation=acting_party(rights),
                author=user,
                now=timezone.now(),
            )
            messages.success(request, "Attendance has been saved.")
            return redirect(meeting)

    return form_page(request, "conversations/meetings/attendance.html", form, meeting=meeting)


@require_http_methods(["GET", "HEAD", "POST"])
def start_minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the minutes, which are the record of a conversation. The form is filled from the agenda and attendance.

    A meeting has minutes only once, and only after its attendance is recorded.
    """
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    if meeting.conversation_id is not None:
        messages.warning(request, "The minutes have already been started.")
        return redirect(meeting)
    if not meeting.is_held:
        messages.warning(request, "Record who attended first.")
        return redirect(meeting)
    own_organisation, other_organisations = _organisations_of_minutes(meeting, rights)
    form = ConversationForm(
        post_data(request),
        user=user,
        own_organisation=own_organisation,
        other_organisations=other_organisations,
        initial=_initial_of_minutes(meeting, [own_organisation, *other_organisations]),
        cancel=meeting.get_absolute_url(),
        submit="Save minutes",
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToRecord, services.UnableToWriteMinutes):
            conversation = services.write_minutes(
                meeting=meeting,
                record=form.record,
                organisation=own_organisation,
                key=form.cleaned_data["key"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, "The minutes have been saved as a draft. Circulate them when they are ready.")
            return redirect(conversation)

    return form_page(
        request, "conversations/meetings/minutes.html", form, meeting=meeting, own_organisation=own_organisation
    )


def _organisations_of_minutes(meeting: Meeting, rights: MeetingRights) -> tuple[Organisation, list[Organisation]]:
    """Return the party for which the person writes the minutes, and the other parties that attended.

    The person writes for the same party as in `acting_party`, which is found here among parties that are read anyway.
    If no other party attended, all other parties are returned.
    """
    parties = meeting.partnership.parties.accepted().select_related("organisation")
    organisations = [party.organisation for party in parties.order_by("organisation__name", "organisation")]
    own_organisation = next(organisation for organisation in organisations if organisation.pk in rights.edits_for)
    other_organisations = [organisation for organisation in organisations if organisation != own_organisation]
    present_ids = {seat.organisation_id for seat in meeting.seats.all() if seat.attendance == Attendance.PRESENT}
    present_organisations = [organisation for organisation in other_organisations if organisation.pk in present_ids]
    return own_organisation, present_organisations or other_organisations


def _initial_of_minutes(meeting: Meeting, organisations: list[Organisation]) -> dict[str, Any]:
    """Return the initial values of the form of the minutes, from the meeting's date, attendance and agenda."""
    present_seats = [seat for seat in meeting.seats.all() if seat.attendance == Attendance.PRESENT]
    guest_seats = [seat for seat in present_seats if seat.is_guest and seat.name]
    next_meeting = next_meeting_after(meeting)
    initial: dict[str, Any] = {
        "subject": meeting.title,
        "partnership": meeting.partnership,
        "state": "held",
        "held_on": meeting.day,
        "format": meeting.format,
        "attendees": [seat.person_id for seat in present_seats if seat.person_id],
        "said": _initial_text(meeting, guest_seats, organisations),
        "next_contact_on": next_meeting.day if next_meeting else None,
    }
    for organisation in organisations:
        guest_lines = [
            f"{seat.name}, {seat.job_title}" if seat.job_title else seat.name
            for seat in guest_seats
            if seat.organisation_id == organisation.pk
        ]
        initial[f"others_{organisation.pk}"] = "\n".join(guest_lines)
    return initial


def _initial_text(meeting: Meeting, guest_seats: list[MeetingSeat], organisations: list[Organisation]) -> str:
    """Return the first text of the minutes, which people then complete.

    It names other guests who were present and people who sent apologies, and has a heading for each agenda item.
    Guests from one of the organisations are left out here, because that organisation's own field names them.
    """
    organisation_ids = {organisation.pk for organisation in organisations}
    other_guests = [seat.name for seat in guest_seats if seat.organisation_id not in organisation_ids]
    apologies = [seat.display_name for seat in meeting.seats.all() if seat.attendance == Attendance.APOLOGIES]
    headings = [f"{number}. {item.title}\n" for number, item in enumerate(items_everybody_reads(meeting), start=1)]

    lines = []
    if other_guests:
        lines.append(f"Also present: {', '.join(other_guests)}")
    if apologies:
        lines.append(f"Apologies: {', '.join(apologies)}")
    if lines and headings:
        lines.append("")
    return "\n".join([*lines, *headings])
