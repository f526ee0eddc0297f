"""The page of one meeting."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from partnerships.agreements.queries import leads_a_party
from partnerships.conversations import services
from partnerships.conversations.models import Answer, Conversation
from partnerships.conversations.queries.agendas import agenda_for, papers_for
from partnerships.conversations.queries.meetings import expected_quorum, quorum_of
from partnerships.conversations.views.meetings.opening import name_as_at, open_meeting
from partnerships.organisations.timeline import newest_events, timeline_lines


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a meeting: when and where it is, agenda and papers, who is coming, quorum and minutes."""
    user, meeting, rights = open_meeting(request, pk)
    name_as_at([meeting])
    now = timezone.now()
    seats = list(meeting.seats.all())
    coming_ids = {seat.organisation_id for seat in seats if seat.answer == Answer.COMING and seat.organisation_id}
    items = agenda_for(meeting, user)
    minutes = Conversation.objects.visible_to(user).filter(pk=meeting.conversation_id or 0).first()
    lines = timeline_lines(newest_events(user, kind="meeting", record_id=meeting.pk, count=50))
    may_edit = meeting.is_planned and rights.may_edit
    context = {
        "meeting": meeting,
        "rights": rights,
        "seats": [(seat, rights.may_answer_for(seat)) for seat in seats],
        "own_seat": next((seat for seat in seats if seat.person_id == user.pk), None),
        "items": items,
        "total_minutes": sum(item.minutes or 0 for item in items),
        "papers": papers_for(meeting, user),
        "quorum": quorum_of(meeting),
        "expected": expected_quorum(meeting, coming_ids) if meeting.is_planned else None,
        "minutes": minutes,
        "has_begun": meeting.starts_at <= now,
        "may_edit": may_edit,
        "may_edit_agenda": may_edit and not meeting.is_frozen,
        "may_add_paper": rights.may_edit and not meeting.is_called_off,
        "may_record": rights.may_edit and not meeting.is_called_off and meeting.starts_at <= now,
        "may_write": rights.may_edit and meeting.is_held and meeting.conversation_id is None,
        "may_tell_stakeholders": leads_a_party(user, meeting.partnership_id),
        "lines": [replace(line, subject="") for line in lines],
    }
    return render(request, "conversations/meetings/detail.html", context)


@require_POST
def stakeholders(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whether stakeholders without an account are told about the meeting."""
    user, opened_meeting, _ = open_meeting(request, pk)
    tell = request.POST.get("tell") == "yes"
    meeting = services.tell_stakeholders_of_meeting(meeting=opened_meeting, tell=tell, author=user, now=timezone.now())
    messages.success(
        request,
        "We will tell stakeholders about this meeting from now on."
        if tell
        else "We will no longer tell stakeholders about this meeting.",
    )
    return redirect(meeting)
