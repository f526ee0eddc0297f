"""The service that writes private notes."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Conversation, OwnNote, PrivateNote
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToWriteNote(Exception):
    """Raised if the note is empty or deleted, or a colleague has changed it since the author read it."""


def check_revision(own_note: OwnNote | None, revision: int | None) -> None:
    """Raise `UnableToWriteNote` if the note was changed after the author read it.

    `revision` is the revision that the author read, 0 if there was no note, and None if it does not matter.
    """
    if revision is not None and revision != (own_note.revision if own_note else 0):
        raise UnableToWriteNote(
            "A colleague changed the note while you were editing. Check the changes before you save."
        )


@transaction.atomic
def write_private_note(
    *,
    conversation: Conversation,
    organisation: Organisation,
    text: str,
    author: User,
    now: dt.datetime,
    revision: int | None = None,
) -> PrivateNote | None:
    """Write or change the organisation's own note, or clear it with an empty text. Raises `UnableToWriteNote`.

    Notes can change even if the record is locked. `revision` is the revision of the text that the author edited,
    0 if there was no note, and None if it does not matter.
    """
    # The lock stops two colleagues from creating the first note at the same moment.
    Conversation.objects.select_for_update(of=("self",)).get(pk=conversation.pk)
    took_part = conversation.sides.filter(organisation=organisation).exists()
    may_note = took_part and roles_of(author, now).may_edit_for(organisation.pk)
    require(may_note, "Only editors of an organisation that took part can write a private note.")
    private_note = PrivateNote.objects.filter(conversation=conversation, organisation=organisation).first()
    check_revision(private_note, revision)
    text_before = private_note.text if private_note else ""
    if text.strip() == text_before:
        return private_note

    if private_note is None:
        private_note = PrivateNote(conversation=conversation, organisation=organisation, revision=0)
    private_note.text = text.strip()
    private_note.written_by = author
    private_note.written_at = now
    private_note.revision += 1
    private_note.save()
    record(
        actor_id=author.pk,
        organisation_id=organisation.pk,
        kind=EventKind.NOTE_WRITTEN,
        target_kind="private_note",
        target_id=private_note.pk,
        now=now,
        data={"title": conversation.subject},
    )
    return private_note
