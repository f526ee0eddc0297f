"""Pages of the journal: the list with its search, one note, and pages to write and delete notes."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Partnership
from partnerships.conversations import services
from partnerships.conversations.forms.journal import DeleteNoteForm, JournalFilter, JournalForm
from partnerships.conversations.models import JournalNote
from partnerships.conversations.queries.journal import (
    journal_notes,
    organisation_writing_about,
    show_titles_at_departure,
)
from partnerships.kit.http import form_page, keyset_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def journal(request: HttpRequest) -> HttpResponse:
    """Show the notes of the reader's organisations, newest first, with search."""
    user = signed_in(request)
    form = JournalFilter(request.GET)
    # If a filter is invalid, the page shows its error and all notes.
    filters = form.cleaned_data if form.is_valid() else {}
    text = filters.get("q", "")
    notes = journal_notes(
        user, text=text, partnership_id=filters.get("partnership"), organisation_id=filters.get("about")
    )

    page = keyset_page(request, notes, order=("-dated_on", "-pk"))
    show_titles_at_departure(page.rows, user)
    return form_page(request, "conversations/journal/list.html", form, page=page, text=text)


def _open_note(request: HttpRequest, pk: int) -> tuple[JournalNote, bool]:
    """Return a note that the reader may see, and whether the reader may change it."""
    user = signed_in(request)
    note = get_object_or_404(JournalNote.objects.visible_to(user).for_listing(), pk=pk)
    show_titles_at_departure([note], user)
    return note, roles_of(user, timezone.now()).may_edit_for(note.organisation_id)


@require_safe
def journal_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one note with its earlier texts."""
    note, may_edit = _open_note(request, pk)
    context = {
        "note": note,
        "may_edit": may_edit and not note.is_deleted,
        "earlier": note.earlier.select_related("written_by").order_by("-revision"),
    }
    return render(request, "conversations/journal/note.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def write_journal_note(request: HttpRequest) -> HttpResponse:
    """Write a note about the partnership or organisation that the URL names.

    Only people of the writer's organisation can read the note.
    """
    user = signed_in(request)
    subject = _subject(request, user)
    partnership = subject if isinstance(subject, Partnership) else None
    about = subject if isinstance(subject, Organisation) else None
    organisation = organisation_writing_about(user, partnership=partnership)
    if organisation is None:
        raise PermissionDenied

    back = subject.get_absolute_url()
    form = JournalForm(post_data(request), initial={"dated_on": timezone.localdate()}, cancel=back)

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with show_refusal(form, services.UnableToWriteNote):
            services.write_journal_note(
                organisation=organisation,
                partnership=partnership,
                about=about,
                dated_on=data["dated_on"],
                text=data["text"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"The note has been saved. Only {organisation.display_name} can read it.")
            return redirect(back)

    return form_page(
        request, "conversations/journal/write.html", form, subject=subject, organisation=organisation, back=back
    )


def _subject(request: HttpRequest, user: User) -> Partnership | Organisation:
    """Return the partnership or organisation that the URL names. Otherwise raises Http404."""
    partnership_id = row_number(request.GET.get("partnership", ""))
    if partnership_id is not None:
        return get_object_or_404(Partnership.objects.readable_today_by(user), pk=partnership_id)
    organisation_id = row_number(request.GET.get("about", ""))
    if organisation_id is not None:
        return get_object_or_404(Organisation.objects.visible_to(user), pk=organisation_id)
    raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
def edit_journal_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a note of the person's organisation."""
    note, may_edit = _open_note(request, pk)
    require(may_edit)
    back = note.get_absolute_url()
    initial = {"dated_on": note.dated_on, "text": note.text, "revision": note.revision}
    form = JournalForm(post_data(request), initial=initial, cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToWriteNote):
            services.change_journal_note(note=note, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
            messages.success(request, "The note has been saved.")
            return redirect(back)

    subject = note.partnership or note.about
    return form_page(
        request,
        "conversations/journal/write.html",
        form,
        back=back,
        subject=subject,
        organisation=note.organisation,
        note=note,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def delete_journal_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a note's texts, with a reason."""
    note, may_edit = _open_note(request, pk)
    require(may_edit)
    form = DeleteNoteForm(post_data(request), submit="Delete note", cancel=note.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with show_refusal(form, services.UnableToDeleteNote):
            services.delete_journal_note(note=note, reason=reason, author=signed_in(request), now=timezone.now())
            messages.success(request, "The note has been deleted.")
            return redirect("conversations:journal")

    return form_page(request, "conversations/journal/delete.html", form, note=note)
