"""Services that attach files to conversations, add papers to meetings, and remove both."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.files.base import File
from django.db import transaction

from partnerships.agreements.models import Document
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import (
    CORRECTABLE_STATUSES,
    AgendaItem,
    Attachment,
    Conversation,
    Meeting,
)
from partnerships.conversations.rights import rights_over_meetings
from partnerships.conversations.services.drafting import mark_corrected
from partnerships.conversations.services.meetings.planning import ONLY_EDITORS
from partnerships.conversations.services.meetings.recording import lock_meeting
from partnerships.conversations.services.meetings.recording import record_event as record_meeting_event
from partnerships.conversations.services.recording import lock_conversation, record_event
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.kit.uploads import UnableToTakeFile, check_upload, stored
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.people.retention import REMOVED_KEPT, delete_files
from partnerships.plans.models import Version

#: A conversation or a meeting can have at most this many files.
MAX_FILES = 20


class UnableToAttachFile(Exception):
    """Raised if the record is locked, the file is not accepted, or there are too many files."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper to add to a meeting. Exactly one of `file`, `document` and `version` is set."""

    title: str = ""
    #: The agenda item that the paper is for; None for the whole meeting.
    item: AgendaItem | None = None
    file: File[bytes] | None = None
    document: Document | None = None
    version: Version | None = None


class UnableToRemoveFile(Exception):
    """Raised if the file was removed already, the record is locked, or the reason is missing."""


@transaction.atomic
def attach_file(
    *, conversation: Conversation, title: str, file: File[bytes], author: User, now: dt.datetime
) -> Attachment:
    """Attach a file to a conversation, for the organisation that keeps the record. Raises `UnableToAttachFile`.

    The file is part of the record, so the other organisations must agree to a circulated record again.
    """
    conversation = lock_conversation(conversation)
    may_attach = roles_of(author, now).may_edit_for(conversation.organisation_id)
    require(may_attach, f"Only editors of {conversation.organisation.display_name} can attach files.")
    if not conversation.is_editable:
        raise UnableToAttachFile(f"The record is {conversation.status_words}, so you can no longer attach files.")
    if conversation.attachments.filter(removed_at=None).count() >= MAX_FILES:
        raise UnableToAttachFile(f"A conversation can have up to {MAX_FILES} files. Remove one first.")

    attachment = Attachment(
        conversation=conversation, added_by=author, added_for=conversation.organisation, added_at=now
    )
    attachment = _store(attachment, title, file)
    _record_change(conversation, author, now)
    record_event(
        conversation,
        EventKind.FILE_ADDED,
        author=author,
        organisation=conversation.organisation,
        now=now,
        file=attachment.pk,
        after={"file": attachment.title},
    )
    return attachment


@transaction.atomic
def add_paper(
    *, meeting: Meeting, organisation: Organisation, paper: Paper, author: User, now: dt.datetime
) -> Attachment:
    """Add a paper to a meeting or to an item of its agenda. Raises `UnableToAttachFile`.

    Papers can also be added after the agenda is circulated, but not once the meeting is called off.
    """
    meeting = lock_meeting(meeting)
    require(rights_over_meetings(meeting.partnership, author, now).may_edit_for(organisation), ONLY_EDITORS)
    if meeting.is_called_off:
        raise UnableToAttachFile("The meeting was called off, so you can no longer add papers.")
    if meeting.papers.filter(removed_at=None).count() >= MAX_FILES:
        raise UnableToAttachFile(f"A meeting can have up to {MAX_FILES} papers. Remove one first.")
    _check_paper(paper, meeting, author)

    attachment = Attachment(
        meeting=meeting,
        item=paper.item,
        document=paper.document,
        version=paper.version,
        added_by=author,
        added_for=organisation,
        added_at=now,
    )
    if paper.file is not None:
        attachment = _store(attachment, paper.title, paper.file)
    else:
        attachment.title = (" ".join(paper.title.split()) or _title_of_paper(paper.document, paper.version))[:200]
        attachment.save(force_insert=True)

    record_meeting_event(
        meeting,
        EventKind.PAPER_ADDED,
        author=author,
        organisation=organisation,
        now=now,
        file=attachment.pk,
    )
    return attachment


def _check_paper(paper: Paper, meeting: Meeting, author: User) -> None:
    """Raise `UnableToAttachFile` unless the paper has one source that the author can read, and its item exists."""
    item, version = paper.item, paper.version
    if item is not None and not AgendaItem.objects.visible_to(author).filter(pk=item.pk, meeting=meeting).exists():
        raise UnableToAttachFile("This item is not on the agenda. Choose another item.")
    if sum(source is not None for source in (paper.file, paper.document, version)) != 1:
        raise UnableToAttachFile("Choose a file, a document or a version of a plan.")
    if paper.document is not None:
        _check_document(paper.document, meeting, author)
    if version is not None and not Version.objects.visible_to(author).filter(pk=version.pk).exists():
        raise UnableToAttachFile("You cannot read this version of the plan. Choose another version.")


def _check_document(document: Document, meeting: Meeting, author: User) -> None:
    """Raise `UnableToAttachFile` unless the author can read the document, and it is of the meeting's partnership."""
    documents = Document.objects.visible_to(author).filter(partnership=meeting.partnership_id)
    if not documents.filter(pk=document.pk).exists():
        raise UnableToAttachFile("Choose a document of this partnership.")


def _title_of_paper(document: Document | None, version: Version | None) -> str:
    """Return the title of the document or version that a paper refers to."""
    if document is not None:
        return document.title
    if version is not None:
        return f"{version.plan.title}, version {version.number}"
    return ""


#: The kind of line in the journal for restores about a removed attachment.
ATTACHMENT = "conversation file"


def attachment_identity(attachment: Attachment) -> str:
    """Return the hash by which the journal for restores recognises an attachment."""
    return journal.identity(
        attachment.conversation_id or 0, attachment.meeting_id or 0, attachment.added_at, attachment.sha256
    )


@transaction.atomic
def remove_attachment(*, attachment: Attachment, reason: str, author: User | None, now: dt.datetime) -> Attachment:
    """Remove a file or paper, with a reason. Its row and title remain. Raises `UnableToRemoveFile`.

    Editors of the organisation that added the attachment can do this. The author is None if the system removes the
    attachment again after a restore. It may do so even if the record is locked.
    """
    conversation = lock_conversation(attachment.conversation) if attachment.conversation else None
    meeting = lock_meeting(attachment.meeting) if attachment.meeting else None
    may_remove = roles_of(author, now).may_edit_for(attachment.added_for_id)
    require(may_remove, "Only editors of the organisation that added the file can remove it.")
    if conversation is not None and author is not None and not conversation.is_editable:
        raise UnableToRemoveFile(f"The record is {conversation.status_words}, so you can no longer remove files.")
    if not reason.strip():
        raise UnableToRemoveFile("Enter a reason.")

    not_removed = Attachment.objects.filter(pk=attachment.pk, removed_at=None)
    if not not_removed.update(removed_at=now, removed_by=author, removed_reason=reason.strip()[:300]):
        raise UnableToRemoveFile("The file has already been removed, so you do not need to remove it.")
    journal.note(ATTACHMENT, now=now, attachment=attachment.pk, same=attachment_identity(attachment))
    attachment.refresh_from_db()

    if conversation is not None:
        if author is not None:
            _record_change(conversation, author, now)
        record_event(
            conversation,
            EventKind.FILE_REMOVED,
            author=author,
            organisation=attachment.added_for,
            now=now,
            file=attachment.pk,
            before={"file": attachment.title},
            reason=reason.strip(),
        )
    if meeting is not None:
        record_meeting_event(
            meeting,
            EventKind.PAPER_REMOVED,
            author=author,
            organisation=attachment.added_for,
            now=now,
            file=attachment.pk,
            reason=reason.strip(),
        )
    return attachment


def drop_removed_files(now: dt.datetime, dry_run: bool) -> int:
    """Delete the files of attachments that were removed long ago, and return how many. The rows remain."""
    return delete_files(Attachment.objects.filter(removed_at__lte=now - REMOVED_KEPT), dry_run=dry_run)


def _store(attachment: Attachment, title: str, file: File[bytes]) -> Attachment:
    """Check a file by its content, and store it with the attachment. Raises `UnableToAttachFile`."""
    try:
        checked = check_upload(file)
        attachment.title = (" ".join(title.split()) or checked.name)[:200]
        with stored(attachment, file, checked):
            attachment.save(force_insert=True)
    except UnableToTakeFile as error:
        raise UnableToAttachFile(str(error)) from error
    return attachment


def _record_change(conversation: Conversation, author: User, now: dt.datetime) -> None:
    """Give the record a new revision because its files changed. A circulated record must be agreed to again."""
    conversation.revision += 1
    if conversation.status in CORRECTABLE_STATUSES:
        mark_corrected(conversation, author, now)
    conversation.save(update_fields=["revision", "status"])
