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
from partnerships.conversations.models import Answer, Conversation, Meeting
from partnerships.conversations.queries.agendas import agenda_for, papers_for
from partnerships.conversations.queries.meetings import expected_quorum, ids_in_quorum, quorum_of
from partnerships.conversations.rights import MeetingRights
from partnerships.conversations.views.meetings.opening import name_as_at, open_meeting
from partnerships.organisations.statements import lookup, read_ahead
from partnerships.organisations.timeline import newest_events, newest_events_lookup, timeline_lines
from partnerships.people.models import User

#: The most events of a meeting on its page.
_MAX_EVENTS = 50


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a meeting: when and where it is, agenda and papers, who is coming, quorum and minutes."""
    user, meeting, rights = open_meeting(request, pk)
    read_ahead(
        [
            newest_events_lookup(user, kind="meeting", record_id=meeting.pk, count=_MAX_EVENTS),
            lookup(ids_in_quorum, meeting.partnership_id),
        ]
    )
    name_as_at([meeting])
    seats = list(meeting.seats.all())
    coming_ids = {seat.organisation_id for seat in seats if seat.answer == Answer.COMING and seat.organisation_id}
    items = agenda_for(meeting, user)
    lines = timeline_lines(newest_events(user, kind="meeting", record_id=meeting.pk, count=_MAX_EVENTS))
    context = {
        "meeting": meeting,
        "rights": rights,
        # People
        "seats": [(seat, rights.may_answer_for(seat)) for seat in seats],
        "own_seat": next((seat for seat in seats if seat.person_id == user.pk), None),
        "quorum": quorum_of(meeting),
        "expected": expected_quorum(meeting, coming_ids) if meeting.is_planned else None,
        # Agenda, papers and minutes
        "items": items,
        "total_minutes": sum(item.minutes or 0 for item in items),
        "papers": papers_for(meeting, user),
        "minutes": Conversation.objects.visible_to(user).filter(pk=meeting.conversation_id or 0).first(),
        # The meeting's title is the heading of the page, so its events do not repeat the title.
        "lines": [replace(line, subject="") for line in lines],
        **_possible_actions(user, meeting, rights),
    }
    return render(request, "conversations/meetings/detail.html", context)


def _possible_actions(user: User, meeting: Meeting, rights: MeetingRights) -> dict[str, bool]:
    """Return what the person may do with the meeting now."""
    has_begun = meeting.starts_at <= timezone.now()
    may_edit = rights.may_edit and meeting.is_planned
    may_complete = rights.may_edit and not meeting.is_called_off
    return {
        "has_begun": has_begun,
        "may_edit": may_edit,
        "may_edit_agenda": may_edit and not meeting.is_frozen,
        "may_add_paper": may_complete,
        "may_record": may_complete and has_begun,
        "may_write": rights.may_edit and meeting.is_held and meeting.conversation_id is None,
        "may_tell_stakeholders": leads_a_party(user, meeting.partnership_id),
    }


@require_POST
def stakeholders(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whether stakeholders without an account are told about the meeting."""
    user, meeting, _rights = open_meeting(request, pk)
    tell = request.POST.get("tell") == "yes"
    services.mark_meeting_for_stakeholders(meeting=meeting, tell=tell, author=user, now=timezone.now())
    if tell:
        messages.success(request, "We will tell stakeholders about this meeting from now on.")
    else:
        messages.success(request, "We will no longer tell stakeholders about this meeting.")
    return redirect(meeting)
