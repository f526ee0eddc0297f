"""Services for documents: add, remove, restore."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Document, Partnership
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.kit.uploads import UnableToTakeFile, check_upload
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.retention import for_each


class UnableToAddDocument(Exception):
    """The partnership is over, or the file type is not allowed."""


class UnableToRemoveDocument(Exception):
    """The document is removed already, or the partnership is over."""


class UnableToRestoreDocument(Exception):
    """The document is not removed, or its file has been deleted."""


#: How long the file of a removed document is kept for restoring.
REMOVED_KEPT = dt.timedelta(days=365)


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
    """Add a document. Raises `UnableToAddDocument`.

    With `personal_data` it opens only while a data-sharing agreement is in force. If the row cannot be written, the
    file is deleted again.
    """
    locked = lock_partnership(partnership.pk)
    require(rights_over(locked, author, now).may_add_document(organisation))
    if locked.is_over_on(timezone.localdate(now)):
        raise UnableToAddDocument("This partnership is over: you can read its documents, but not add any.")
    try:
        checked = check_upload(file)
    except UnableToTakeFile as error:
        raise UnableToAddDocument(str(error)) from error
    document = Document(
        partnership=locked,
        title=" ".join(title.split()) or checked.name,
        file_name=checked.name,
        content_type=checked.content_type,
        size=checked.size,
        sha256=checked.sha256,
        added_by=author,
        added_for=organisation,
        added_at=now,
        personal_data=personal_data,
    )
    try:
        document.file.save(checked.storage_name, file, save=False)
    except OSError as error:
        raise UnableToAddDocument("The file could not be stored. Try again later.") from error
    try:
        with transaction.atomic():
            document.save(force_insert=True)
            record_event(
                locked,
                EventKind.DOCUMENT_ADDED,
                author=author,
                now=now,
                organisation=organisation,
                data={"after": {"document": document.title}},
            )
    except Exception:
        document.file.delete(save=False)
        raise
    return document


@transaction.atomic
def remove_document(
    *, document: Document, author: User | None, now: dt.datetime, organisation: Organisation | None = None
) -> None:
    """Hide a document; its file stays until retention deletes it.

    Until then an administrator can restore it. Raises `UnableToRemoveDocument`.
    """
    partnership = lock_partnership(document.partnership_id)
    require(rights_over(partnership, author, now).may_remove(document))
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToRemoveDocument("This partnership is over: you cannot remove anything.")
    if not Document.objects.filter(pk=document.pk, removed_at=None).update(removed_at=now):
        raise UnableToRemoveDocument("This document has been removed already.")
    document.removed_at = now
    _journal(document, now=now)
    record_event(
        partnership,
        EventKind.DOCUMENT_REMOVED,
        author=author,
        now=now,
        organisation=organisation,
        data={"before": {"document": document.title}},
    )


#: The journal's name for whether a document is removed.
DOCUMENT = "document"


def document_identity(document: Document) -> str:
    """The journal's hash of a document."""
    return journal.identity(document.partnership_id, document.added_at, document.sha256)


def _journal(document: Document, *, now: dt.datetime, undone: bool = False) -> None:
    journal.note(DOCUMENT, now=now, document=document.pk, same=document_identity(document), undone=undone)


@transaction.atomic
def restore_document(*, document: Document, author: User | None, now: dt.datetime) -> None:
    """Restore a removed document. Raises `UnableToRestoreDocument`."""
    partnership = lock_partnership(document.partnership_id)
    require(rights_over(partnership, author, now).may_restore_documents)
    if Document.objects.filter(pk=document.pk, file="").exists():
        raise UnableToRestoreDocument("It was removed more than a year ago; its file is no longer kept.")
    if not Document.objects.filter(pk=document.pk).exclude(removed_at=None).update(removed_at=None):
        raise UnableToRestoreDocument("This document is not removed.")
    document.removed_at = None
    _journal(document, now=now, undone=True)
    record_event(
        partnership, EventKind.DOCUMENT_RESTORED, author=author, now=now, data={"after": {"document": document.title}}
    )


def drop_removed_files(now: dt.datetime, dry_run: bool) -> int:
    """Delete the files of documents removed long ago, after commit.

    The rows stay, with title and fingerprint.
    """
    old = Document.objects.filter(removed_at__lte=now - REMOVED_KEPT).exclude(file="")
    if dry_run:
        return old.count()
    return for_each(list(old.order_by("pk").values_list("pk", flat=True)), _drop_file)


@transaction.atomic
def _drop_file(pk: int) -> None:
    document = Document.objects.select_for_update().exclude(file="").filter(pk=pk, removed_at__isnull=False).first()
    if document is None:  # restored, or deleted by another run, in the meantime
        return
    Document.objects.filter(pk=pk).update(file="")
    transaction.on_commit(partial(document.file.storage.delete, str(document.file.name)))
