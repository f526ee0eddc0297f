"""Repeats after a restore what people had ended, removed or deleted since the backup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.conversations.models import Attachment, Facilitator, JournalNote, Side
from partnerships.conversations.services.contents import SIDE, side_identity
from partnerships.conversations.services.facilitating import (
    FACILITATOR,
    UnableToEndFacilitation,
    end_facilitation,
    facilitator_identity,
)
from partnerships.conversations.services.files import (
    ATTACHMENT,
    UnableToRemoveFile,
    attachment_identity,
    remove_attachment,
)
from partnerships.conversations.services.journal import DELETED, UnableToDeleteNote, delete_journal_note, note_identity
from partnerships.kit.journal import MADE_AGAIN, RedoResult, redo_each, register_redo, same_rows


def redo_sides(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Return a problem for each organisation that had been removed from a conversation since the backup.

    The organisation that keeps the record must remove it again, because the journal does not record what else changed
    in the same edit.
    """
    result = RedoResult()
    sides = Side.objects.filter(pk__in={line["side"] for line in lines})
    for side, _line in same_rows(
        "side",
        lines,
        sides.select_related("conversation", "organisation").order_by("pk"),
        identity_of=side_identity,
        began_at=lambda row: row.conversation.created_at,
        result=result,
    ):
        result.problems.append(
            f"conversation {side.conversation_id}: organisation {side.organisation_id} must be removed again. Ask "
            f"organisation {side.conversation.organisation_id}, which keeps the record, to do this"
        )
    return result


def redo_notes(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Delete again the journal notes that people had deleted."""

    def delete_again(note: JournalNote, _line: dict[str, Any]) -> bool:
        delete_journal_note(
            note=note, reason="We restored an older backup, so we deleted this note again.", author=None, now=now
        )
        return True

    notes = JournalNote.objects.filter(pk__in={line["note"] for line in lines}, deleted_at=None)
    return redo_each(
        "note",
        lines,
        notes.order_by("pk"),
        identity_of=note_identity,
        began_at=lambda row: row.created_at,
        redo=delete_again,
        unable=UnableToDeleteNote,
    )


def redo_attachments(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove again the files that people had removed."""

    def remove_again(attachment: Attachment, _line: dict[str, Any]) -> bool:
        remove_attachment(attachment=attachment, reason=MADE_AGAIN, author=None, now=now)
        return True

    rows = Attachment.objects.filter(pk__in={line["attachment"] for line in lines}, removed_at=None)
    return redo_each(
        "attachment",
        lines,
        rows.select_related("conversation", "meeting", "added_for").order_by("pk"),
        identity_of=attachment_identity,
        began_at=lambda row: row.added_at,
        redo=remove_again,
        unable=UnableToRemoveFile,
    )


def redo_facilitators(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End again the facilitators' roles that had ended."""

    def end_again(facilitator: Facilitator, _line: dict[str, Any]) -> bool:
        end_facilitation(facilitator=facilitator, reason=MADE_AGAIN, author=None, now=now)
        return True

    facilitators = Facilitator.objects.not_ended().filter(pk__in={line["facilitator"] for line in lines})
    return redo_each(
        "facilitator",
        lines,
        facilitators.order_by("pk"),
        identity_of=facilitator_identity,
        began_at=lambda row: row.named_at,
        redo=end_again,
        unable=UnableToEndFacilitation,
    )


def register() -> None:
    """Register what is repeated after a restore."""
    register_redo(SIDE, "sides of conversations", redo_sides)
    register_redo(DELETED, "notes of the journal deleted again", redo_notes)
    register_redo(ATTACHMENT, "files of conversations", redo_attachments)
    register_redo(FACILITATOR, "facilitations ended again", redo_facilitators)
