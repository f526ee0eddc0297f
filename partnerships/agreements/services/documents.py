"""Add, remove and restore the documents of a partnership."""

from __future__ import annotations

import datetime as dt

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Document, Partnership, TermsSignature
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.kit.uploads import UnableToTakeFile, check_upload, stored
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.retention import REMOVED_KEPT, delete_files


class UnableToAddDocument(Exception):
    """The partnership is over, or the file cannot be accepted."""


class UnableToRemoveDocument(Exception):
    """The document was removed before or is the scan of a signature, or the partnership is over."""


class UnableToRestoreDocument(Exception):
    """The document is not removed, or its file has been deleted."""


@transaction.atomic
def add_document(
    *,
    partnership: Partnership,
    title: str,
    file: File[bytes],
    organisation: Organisation | None,
    author: User | None,
    now: dt.datetime,
    personal_data: bool = False,
) -> Document:
    """Add a document to a partnership. Raises `UnableToAddDocument`.

    A document with personal data opens only while a data-sharing agreement is in force. If the row cannot be saved, the
    stored file is deleted again.
    """
    locked_partnership = lock_partnership(partnership.pk)
    require(rights_over(locked_partnership, author, now).may_add_document(organisation))
    if locked_partnership.is_over_on(timezone.localdate(now)):
        raise UnableToAddDocument("This partnership has ended, so you can read its documents but not add any.")

    try:
        upload = check_upload(file)
        document = Document(
            partnership=locked_partnership,
            title=(" ".join(title.split()) or upload.name)[:200],
            added_by=author,
            added_for=organisation,
            added_at=now,
            personal_data=personal_data,
        )
        with stored(document, file, upload):
            document.save(force_insert=True)
            data = {"file": document.pk, "after": {"document": document.title}}
            record_event(
                locked_partnership,
                EventKind.DOCUMENT_ADDED,
                author=author,
                now=now,
                organisation=organisation,
                data=data,
            )
    except UnableToTakeFile as error:
        raise UnableToAddDocument(str(error)) from error
    return document


@transaction.atomic
def remove_document(
    *, document: Document, author: User | None, now: dt.datetime, organisation: Organisation | None = None
) -> None:
    """Hide a document from everybody. Raises `UnableToRemoveDocument`.

    An administrator can restore the document until the retention job deletes its file.
    """
    partnership = lock_partnership(document.partnership_id)
    require(rights_over(partnership, author, now).may_remove(document))
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToRemoveDocument("This partnership has ended, so you can read its documents but not remove any.")
    if TermsSignature.objects.filter(scan=document).exists():
        raise UnableToRemoveDocument(
            "This is the scan of a signature, so it stays with the terms and you cannot remove it."
        )
    if not Document.objects.filter(pk=document.pk, removed_at=None).update(removed_at=now):
        raise UnableToRemoveDocument("This document has already been removed. An administrator can restore it.")

    document.removed_at = now
    _journal(document, now=now)
    data = {"file": document.pk, "before": {"document": document.title}}
    record_event(partnership, EventKind.DOCUMENT_REMOVED, author=author, now=now, organisation=organisation, data=data)


#: Name of the lines in the journal which record that a document was removed or restored.
DOCUMENT = "document"


def document_identity(document: Document) -> str:
    """Return the hash by which the journal recognises a document."""
    return journal.identity(document.partnership_id, document.added_at, document.sha256)


def _journal(document: Document, *, now: dt.datetime, is_restored: bool = False) -> None:
    """Note in the journal that a document was removed or restored."""
    journal.note(DOCUMENT, now=now, document=document.pk, same=document_identity(document), undone=is_restored)


@transaction.atomic
def restore_document(*, document: Document, author: User | None, now: dt.datetime) -> None:
    """Restore a removed document. Raises `UnableToRestoreDocument`."""
    partnership = lock_partnership(document.partnership_id)
    require(rights_over(partnership, author, now).may_restore_documents)
    if Document.objects.filter(pk=document.pk, file="").exists():
        raise UnableToRestoreDocument(
            "This document was removed more than a year ago, so its file has been deleted. Add the file again instead."
        )
    if not Document.objects.filter(pk=document.pk).exclude(removed_at=None).update(removed_at=None):
        raise UnableToRestoreDocument("This document has not been removed, so there is nothing to restore.")

    document.removed_at = None
    _journal(document, now=now, is_restored=True)
    data = {"file": document.pk, "after": {"document": document.title}}
    record_event(partnership, EventKind.DOCUMENT_RESTORED, author=author, now=now, data=data)


def drop_removed_files(now: dt.datetime, dry_run: bool) -> int:
    """Delete the files of documents that were removed long ago, and return how many. The rows remain."""
    return delete_files(Document.objects.filter(removed_at__lte=now - REMOVED_KEPT), dry_run=dry_run)
