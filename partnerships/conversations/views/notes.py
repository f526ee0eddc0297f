"""The page of an organisation's private note on a conversation.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import services
from partnerships.conversations.forms.notes import NoteForm
from partnerships.conversations.models import PrivateNote
from partnerships.conversations.views.steps import open_conversation
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.form_steps import ABOVE_FORM, take_step


@require_http_methods(["GET", "HEAD", "POST"])
def private_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the private note of the person's own organisation, which no other organisation can read."""
    user, conversation, rights = open_conversation(request, pk)
    require(rights.edits)
    organisation = rights.sides[0]
    notes = PrivateNote.objects.visible_to(user)
    note = notes.filter(conversation=conversation, organisation=organisation).first()
    initial = {"text": note.text if note else "", "revision": note.revision if note else 0}
    form = NoteForm(posted(request), conversation=conversation, initial=initial)

    def save_note() -> tuple[str, str]:
        services.write_private_note(
            conversation=conversation,
            organisation=organisation,
            **form.cleaned_data,
            author=user,
            now=timezone.now(),
        )
        return (
            f"The note has been saved. Only {organisation.display_name} can read it.",
            conversation.get_absolute_url(),
        )

    # `take_step` calls `save_note` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "conversations/note.html",
        form,
        save_note,
        {services.UnableToWriteNote: ABOVE_FORM},
        conversation=conversation,
        organisation=organisation,
    )
