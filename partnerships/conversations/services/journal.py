"""Services that write, change and delete a note in the journal."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import JournalNote, JournalText
from partnerships.conversations.services.notes import UnableToWriteNote, check_revision
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.people.retention import delete_in_batches

#: The earlier texts of a note are deleted after this time.
EARLIER_KEPT = dt.timedelta(days=365)
#: The kind of line in the journal for restores about a deleted note.
DELETED = "journal_note"
_EDITORS = "Only editors and leads of the organisation can write, change or delete notes in its journal."


class UnableToDeleteNote(Exception):
    """Raised if the note is deleted already, or the reason is missing."""


@transaction.atomic
def write_journal_note(
    *,
    organisation: Organisation,
    dated_on: dt.date,
    text: str,
    author: User,
    now: dt.datetime,
    partnership: Partnership | None = None,
    about: Organisation | None = None,
) -> JournalNote:
    """Write a note about a partnership of the organisation, or about any organisation. Raises `UnableToWriteNote`."""
    require(roles_of(author, now).may_edit_for(organisation.pk), _EDITORS)
    if partnership is not None:
        takes_part = partnership.parties.accepted().filter(organisation=organisation).exists()
        require(
            takes_part, "The organisation does not take part in this partnership, so you cannot write a note about it."
        )
    if not text.strip():
        raise UnableToWriteNote("Enter a note.")
    _check_day(dated_on, now)

    note = JournalNote.objects.create(
        organisation=organisation,
        partnership=partnership,
        about=about,
        dated_on=dated_on,
        text=text.strip(),
        written_by=author,
        written_at=now,
        created_at=now,
    )
    _record(note, EventKind.JOURNAL_WRITTEN, author=author, now=now)
    return note


def _check_day(day: dt.date, now: dt.datetime) -> None:
    """Raise `UnableToWriteNote` if a note has a date in the future."""
    if day > timezone.localdate(now):
        raise UnableToWriteNote("Enter a date that is today or earlier.")


@transaction.atomic
def change_journal_note(
    *, note: JournalNote, dated_on: dt.date, text: str, revision: int, author: User, now: dt.datetime
) -> JournalNote:
    """Change a note, and store its earlier text. Raises `UnableToWriteNote`.

    `revision` is the revision of the text that the author edited.
    """
    note = JournalNote.objects.select_for_update(of=("self",)).get(pk=note.pk)
    require(roles_of(author, now).may_edit_for(note.organisation_id), _EDITORS)
    if note.is_deleted:
        raise UnableToWriteNote("This note was deleted, so you can no longer change it.")
    check_revision(note, revision)
    if not text.strip():
        raise UnableToWriteNote("Enter a note, or delete this one.")
    _check_day(dated_on, now)
    if (note.text, note.dated_on) == (text.strip(), dated_on):
        return note

    JournalText.objects.create(
        note=note,
        revision=note.revision,
        text=note.text,
        written_by_id=note.written_by_id,
        written_at=note.written_at,
        replaced_at=now,
    )
    note.text = text.strip()
    note.dated_on = dated_on
    note.written_by = author
    note.written_at = now
    note.revision += 1
    note.save(update_fields=["text", "dated_on", "written_by", "written_at", "revision"])
    _record(note, EventKind.JOURNAL_CHANGED, author=author, now=now)
    return note


@transaction.atomic
def delete_journal_note(*, note: JournalNote, reason: str, author: User | None, now: dt.datetime) -> None:
    """Delete a note's texts. The row remains, with who deleted it, when and why. Raises `UnableToDeleteNote`."""
    note = JournalNote.objects.select_for_update(of=("self",)).get(pk=note.pk)
    require(roles_of(author, now).may_edit_for(note.organisation_id), _EDITORS)
    if note.is_deleted:
        raise UnableToDeleteNote("This note has already been deleted, so you do not need to delete it.")
    if not reason.strip():
        raise UnableToDeleteNote("Enter a reason.")

    note.earlier.all().delete()
    note.text = ""
    note.delete_reason = reason.strip()
    note.deleted_at = now
    note.deleted_by = author
    note.save(update_fields=["text", "delete_reason", "deleted_at", "deleted_by"])
    journal.note(DELETED, now=now, note=note.pk, same=note_identity(note))
    _record(note, EventKind.JOURNAL_DELETED, author=author, now=now)


def note_identity(note: JournalNote) -> str:
    """Return the hash by which the journal for restores recognises a note."""
    return journal.identity(note.organisation_id, note.created_at)


def _record(note: JournalNote, event: EventKind, *, author: User | None, now: dt.datetime) -> None:
    """Record an event that only the organisation's own people see. It does not contain the note's text."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=note.organisation_id,
        kind=event,
        target_kind="journal_note",
        target_id=note.pk,
        now=now,
        data={"title": f"Note of {note.dated_on.isoformat()}"},
    )


def drop_earlier_texts(now: dt.datetime, dry_run: bool) -> int:
    """Delete the texts of notes that were replaced more than `EARLIER_KEPT` ago."""
    old_texts = JournalText.objects.filter(replaced_at__lte=now - EARLIER_KEPT)
    return delete_in_batches(old_texts, dry_run=dry_run)
