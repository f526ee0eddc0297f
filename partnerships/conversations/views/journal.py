"""Pages of the journal: the list with its search, one note, and pages to write and delete notes.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Partnership
from partnerships.conversations import services
from partnerships.conversations.forms.journal import DeleteForm, JournalFilter, JournalForm
from partnerships.conversations.models import JournalNote
from partnerships.conversations.queries.journal import as_titled_for, journal_notes, writes_about
from partnerships.kit.http import keyset_page, posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.requests import signed_in


@require_safe
def journal(request: HttpRequest) -> HttpResponse:
    """Show the notes of the reader's organisations, newest first, with search."""
    user = signed_in(request)
    form = JournalFilter(request.GET)
    is_valid = form.is_valid()
    filters = form.cleaned_data if is_valid else {}
    notes = journal_notes(
        user, text=filters.get("q", ""), partnership=filters.get("partnership"), about=filters.get("about")
    )
    page = keyset_page(request, notes, order=("-dated_on", "-pk"))
    context = {"form": form, "page": page, "notes": as_titled_for(user, list(page.rows)), "text": filters.get("q", "")}
    return render(request, "conversations/journal/list.html", context, status=200 if is_valid else 422)


def _open_note(request: HttpRequest, pk: int) -> tuple[JournalNote, bool]:
    """Return a note that the reader may see, and whether the reader may change it."""
    user = signed_in(request)
    note = get_object_or_404(JournalNote.objects.visible_to(user).for_listing(), pk=pk)
    as_titled_for(user, [note])
    return note, roles_of(user, timezone.now()).edit_for(note.organisation_id)


@require_safe
def journal_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one note with its earlier texts."""
    opened_note, may_edit = _open_note(request, pk)
    context = {
        "note": opened_note,
        "may_edit": may_edit and not opened_note.is_deleted,
        "earlier": opened_note.earlier.select_related("written_by").order_by("-revision"),
    }
    return render(request, "conversations/journal/note.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def write_journal_note(request: HttpRequest) -> HttpResponse:
    """Write a note about the partnership or organisation that the URL names.

    Only people of the writer's organisation can read the note.
    """
    user = signed_in(request)
    partnership = about = None
    # A longer number would not fit an id of the database.
    if (number := request.GET.get("partnership", "")).isdecimal() and len(number) < 19:
        partnership = get_object_or_404(Partnership.objects.inside_for(user), pk=int(number))
    elif (number := request.GET.get("about", "")).isdecimal() and len(number) < 19:
        about = get_object_or_404(Organisation.objects.visible_to(user), pk=int(number))
    else:
        raise Http404
    organisation = writes_about(user, partnership=partnership)
    require(organisation is not None)
    assert organisation is not None
    subject = partnership or about
    assert subject is not None
    back = subject.get_absolute_url()
    form = JournalForm(posted(request), initial={"dated_on": timezone.localdate()}, cancel=back)

    def save_note() -> tuple[str, str]:
        data = form.cleaned_data
        services.write_journal_note(
            organisation=organisation,
            partnership=partnership,
            about=about,
            dated_on=data["dated_on"],
            text=data["text"],
            author=user,
            now=timezone.now(),
        )
        return f"The note has been saved. Only {organisation.display_name} can read it.", back

    context: dict[str, Any] = {"subject": subject, "organisation": organisation, "back": back}
    # `take_step` calls `save_note` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "conversations/journal/write.html",
        form,
        save_note,
        {services.UnableToWriteNote: ABOVE_FORM},
        **context,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit_journal_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a note of the person's organisation."""
    opened_note, may_edit = _open_note(request, pk)
    require(may_edit)
    back = opened_note.get_absolute_url()
    initial = {"dated_on": opened_note.dated_on, "text": opened_note.text, "revision": opened_note.revision}
    form = JournalForm(posted(request), initial=initial, cancel=back)

    def change_note() -> tuple[str, str]:
        services.change_journal_note(
            note=opened_note, author=signed_in(request), now=timezone.now(), **form.cleaned_data
        )
        return "The note has been saved.", back

    subject = opened_note.partnership or opened_note.about
    context: dict[str, Any] = {"subject": subject, "organisation": opened_note.organisation, "note": opened_note}
    return take_step(
        request,
        "conversations/journal/write.html",
        form,
        change_note,
        {services.UnableToWriteNote: ABOVE_FORM},
        back=back,
        **context,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def delete_journal_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a note's texts, with a reason."""
    opened_note, may_edit = _open_note(request, pk)
    require(may_edit)
    form = DeleteForm(posted(request), submit="Delete note", cancel=opened_note.get_absolute_url())

    def delete_note() -> tuple[str, str]:
        reason = form.cleaned_data["reason"]
        services.delete_journal_note(note=opened_note, reason=reason, author=signed_in(request), now=timezone.now())
        return "The note has been deleted.", reverse("conversations:journal")

    return take_step(
        request,
        "conversations/journal/delete.html",
        form,
        delete_note,
        {services.UnableToDeleteNote: ABOVE_FORM},
        note=opened_note,
    )
