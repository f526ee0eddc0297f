"""Pages to prepare an agenda, circulate it and print it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.agenda import agenda_sources
from partnerships.conversations import services
from partnerships.conversations.forms.meetings.agendas import AgendaForm, CirculateAgendaForm
from partnerships.conversations.queries.agendas import agenda_for, look_back_of, papers_for, suggestions_for
from partnerships.conversations.queries.meetings import possible_attendees, seated_people
from partnerships.conversations.views.meetings.opening import acting_party, name_as_at, open_meeting
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.recipients import collect_recipients


@require_http_methods(["GET", "HEAD", "POST"])
def edit_agenda(request: HttpRequest, pk: int) -> HttpResponse:
    """Prepare the agenda: order and time its items, choose presenters, remove items and add new ones."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    if meeting.is_frozen:
        messages.warning(request, "The agenda has been circulated, so you can no longer change it.")
        return redirect(meeting)
    now = timezone.now()
    items = agenda_for(meeting, user, dropped=True)
    form = AgendaForm(post_data(request), meeting=meeting, items=items, people=possible_attendees(meeting.partnership))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeAgenda):
            services.edit_agenda(
                meeting=meeting,
                lines=form.lines,
                organisation=acting_party(rights),
                revision=form.cleaned_data["revision"],
                author=user,
                now=now,
            )
            messages.success(request, "The agenda has been saved.")
            return redirect(request.path)

    heading_by_source = {source.name: source.heading for source in agenda_sources()}
    since = look_back_of(meeting, now)
    suggestions = suggestions_for(meeting, user, since)
    return form_page(
        request,
        "conversations/meetings/agenda.html",
        form,
        meeting=meeting,
        since=since.last[meeting.partnership_id],
        suggested=[(heading_by_source[suggestion.source], suggestion.suggestion) for suggestion in suggestions],
        headings=heading_by_source,
    )


@require_POST
def gather_items(request: HttpRequest, pk: int) -> HttpResponse:
    """Add to the agenda every item that the rooms suggest."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)

    try:
        new_items = services.gather_agenda(
            meeting=meeting, organisation=acting_party(rights), author=user, now=timezone.now()
        )
    except services.UnableToChangeAgenda as error:
        messages.warning(request, str(error))
        return redirect(meeting)

    if new_items:
        noun = "item" if len(new_items) == 1 else "items"
        message = f"{len(new_items)} {noun} added to the agenda."
    else:
        message = "There is nothing new to add to the agenda."
    messages.success(request, message)
    return redirect("conversations:agenda", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def circulate_to_invited(request: HttpRequest, pk: int) -> HttpResponse:
    """Circulate the agenda by email. Nobody can change the agenda after that."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    form = CirculateAgendaForm(post_data(request), meeting=meeting)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeAgenda):
            with collect_recipients() as recipients:
                services.circulate_agenda(
                    meeting=meeting,
                    organisation=acting_party(rights),
                    revision=form.cleaned_data["revision"],
                    author=user,
                    now=timezone.now(),
                )
            messages.success(request, f"The agenda has been circulated.{recipients.sentence()}")
            return redirect(meeting)

    return form_page(
        request,
        "conversations/meetings/circulate.html",
        form,
        meeting=meeting,
        items=agenda_for(meeting, user),
        recipients=list(seated_people(meeting).exclude(pk=user.pk)),
    )


@require_safe
def agenda_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the agenda as a page for printing."""
    user, meeting, _rights = open_meeting(request, pk)
    name_as_at([meeting])
    items = agenda_for(meeting, user)
    context = {
        "meeting": meeting,
        "items": items,
        "total_minutes": sum(item.minutes or 0 for item in items),
        "papers": papers_for(meeting, user),
        "seats": list(meeting.seats.all()),
    }
    return render(request, "conversations/meetings/paper.html", context)
