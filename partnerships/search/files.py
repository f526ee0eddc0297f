"""Reads the text of documents' files, each once.

The index takes it from there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from partnerships.agreements.models import Document
from partnerships.commitments.models import Evidence
from partnerships.conversations.models import Attachment
from partnerships.plans.models import Document as PlanDocument
from partnerships.search.extraction import UnreadableFile, text_of
from partnerships.search.models import FileText, Stale

log = structlog.get_logger(__name__)

#: Files of each room read in one run of the task.
_AT_ONCE = 5
#: The problem of a file that the storage lacks, and how long until it is looked for again.
_MISSING, _AGAIN = "missing", dt.timedelta(days=1)


def read_files() -> int:
    """Read files that nobody has read yet; returns how many.

    A file that cannot be read has no text and is not tried again; one that is missing, because the storage was away, is
    tried again after a day. Texts of files that no document has any longer are deleted.
    """
    done = 0
    for sha256, file in _unread().items():
        text, problem = "", ""
        try:
            with file.open("rb") as opened:
                text = text_of(opened.read())
        except UnreadableFile as error:
            problem = str(error)
        except FileNotFoundError:
            problem = _MISSING
        except OSError as error:
            # The storage is ill; the next run tries again.
            log.warning("file_not_read", sha256=sha256, kind=type(error).__name__)
            continue
        with transaction.atomic():
            FileText.objects.update_or_create(
                sha256=sha256,
                defaults={"text": text.replace("\x00", ""), "problem": problem, "read_at": timezone.now()},
            )
            for code, column, documents in _readable():
                records = documents.filter(sha256=sha256).values_list(column, flat=True)
                Stale.objects.bulk_create(Stale(source_column=code, value=value) for value in set(records))
        done += 1
    _drop_unused()
    return done


def _readable() -> tuple[tuple[str, str, QuerySet[Any]], ...]:
    """Documents whose text may be indexed.

    By source: its code, the column with its record's id, and the rows. Not those with personal data,
    which open only while a data-sharing agreement is in force.
    """
    return (
        ("document", "pk", Document.objects.filter(removed_at=None, personal_data=False)),
        ("plan", "plan_id", PlanDocument.objects.all()),
        ("evidence", "pk", Evidence.objects.filter(removed_at=None)),
        ("attachment", "pk", Attachment.objects.filter(removed_at=None).exclude(sha256="")),
    )


def _unread() -> dict[str, FieldFile]:
    """Some files to read, by SHA-256."""
    files: dict[str, FieldFile] = {}
    for _, _, documents in _readable():
        settled = ~Q(problem=_MISSING) | Q(read_at__gt=timezone.now() - _AGAIN)
        read = FileText.objects.filter(settled, sha256=OuterRef("sha256"))
        for document in documents.filter(~Exists(read)).order_by("pk")[:_AT_ONCE]:
            files.setdefault(document.sha256, document.file)
    return files


def _drop_unused() -> None:
    unused = FileText.objects.all()
    for _, _, documents in _readable():
        unused = unused.filter(~Exists(documents.filter(sha256=OuterRef("sha256"))))
    unused.delete()
