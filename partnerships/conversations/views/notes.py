"""The page of an organisation's private note on a conversation."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import services
from partnerships.conversations.forms.notes import NoteForm
from partnerships.conversations.models import PrivateNote
from partnerships.conversations.views.fetching import open_conversation
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require


@require_http_methods(["GET", "HEAD", "POST"])
def private_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the private note of the person's own organisation, which no other organisation can read."""
    user, conversation, rights = open_conversation(request, pk)
    require(rights.edits)
    # A person who edits for several organisations that took part writes for the first.
    organisation = rights.sides[0]
    notes = PrivateNote.objects.visible_to(user)
    note = notes.filter(conversation=conversation, organisation=organisation).first()
    initial = {"text": note.text if note else "", "revision": note.revision if note else 0}
    form = NoteForm(post_data(request), conversation=conversation, initial=initial)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToWriteNote):
            services.write_private_note(
                conversation=conversation,
                organisation=organisation,
                **form.cleaned_data,
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"The note has been saved. Only {organisation.display_name} can read it.")
            return redirect(conversation)

    return form_page(request, "conversations/note.html", form, conversation=conversation, organisation=organisation)
