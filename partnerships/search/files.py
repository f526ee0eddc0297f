"""Reads the text of each file once, and stores it for the index."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from partnerships.agreements.models import Document
from partnerships.commitments.models import Evidence
from partnerships.conversations.models import Attachment
from partnerships.plans.models import Document as PlanDocument
from partnerships.search.extraction import UnreadableFile, extracted_text
from partnerships.search.models import FileText, Stale

log = structlog.get_logger(__name__)

#: Limit of files of each kind of document that one run of the task reads.
_FILES_A_RUN = 5
#: The `problem` of a file that is not in the storage.
_MISSING = "missing"
#: Time after which a missing file is tried again.
_RETRY_MISSING_AFTER = dt.timedelta(days=1)


def read_files() -> int:
    """Read the next files whose text is not stored yet, and return their number.

    A file that cannot be read gets no text and is not tried again. A missing file, whose storage may have been offline,
    is tried again after a day. Texts of files that no document has any longer are deleted.
    """
    read_count = 0
    for sha256, file in _unread_files().items():
        text, problem = "", ""
        try:
            with file.open("rb") as open_file:
                text = extracted_text(open_file.read())
        except UnreadableFile as error:
            problem = str(error)
        except FileNotFoundError:
            problem = _MISSING
        except OSError as error:
            # The storage has a fault, so the next run tries again.
            log.warning("file_not_read", sha256=sha256, kind=type(error).__name__)
            continue
        with transaction.atomic():
            FileText.objects.update_or_create(
                sha256=sha256,
                defaults={"text": text.replace("\x00", ""), "problem": problem, "read_at": timezone.now()},
            )
            # Queue the records that have the file, so that they are indexed again with its text.
            for indexed in _indexed_documents():
                record_ids = set(indexed.rows.filter(sha256=sha256).values_list(indexed.record_column, flat=True))
                Stale.objects.bulk_create(Stale(source_column=indexed.source, value=pk) for pk in record_ids)
        read_count += 1
    _delete_unused_texts()
    return read_count


class _IndexedDocuments(NamedTuple):
    """The documents of one source whose text is indexed."""

    #: The code of the source.
    source: str
    #: The column with the id of the record that the source indexes.
    record_column: str
    rows: QuerySet[Any]


def _indexed_documents() -> tuple[_IndexedDocuments, ...]:
    """Return the documents whose text is indexed, by source.

    Documents with personal data are left out, as people may open them only while a data-sharing agreement is in force.
    """
    return (
        _IndexedDocuments("document", "pk", Document.objects.filter(removed_at=None, personal_data=False)),
        _IndexedDocuments("plan", "plan_id", PlanDocument.objects.all()),
        _IndexedDocuments("evidence", "pk", Evidence.objects.filter(removed_at=None)),
        _IndexedDocuments("attachment", "pk", Attachment.objects.filter(removed_at=None).exclude(sha256="")),
    )


def _unread_files() -> dict[str, FieldFile]:
    """Return the next files to read by SHA-256, as several documents may have the same file."""
    is_final = ~Q(problem=_MISSING) | Q(read_at__gt=timezone.now() - _RETRY_MISSING_AFTER)
    final_texts = FileText.objects.filter(is_final, sha256=OuterRef("sha256"))
    file_by_sha256: dict[str, FieldFile] = {}
    for indexed in _indexed_documents():
        for document in indexed.rows.filter(~Exists(final_texts)).order_by("pk")[:_FILES_A_RUN]:
            file_by_sha256.setdefault(document.sha256, document.file)
    return file_by_sha256


def _delete_unused_texts() -> None:
    """Delete the texts of files that no document has any longer."""
    unused_texts = FileText.objects.all()
    for indexed in _indexed_documents():
        unused_texts = unused_texts.filter(~Exists(indexed.rows.filter(sha256=OuterRef("sha256"))))
    unused_texts.delete()
