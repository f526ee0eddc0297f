"""Retention: lists that nobody imported, and rows set aside.

Lists are published, but somebody may upload another file, or one with the names of contacts in further columns.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction

from partnerships.people.retention import for_each, register_retention
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import WAITING, ImportRun
from partnerships.transfer.services.recording import record_import
from partnerships.transfer.services.registers.previewing import empty_preview

#: How long a file waits to be imported or discarded.
PREVIEWS_WAIT = dt.timedelta(days=30)
#: How long rows set aside can be downloaded.
ROWS_KEPT = dt.timedelta(days=180)


def _discard_forgotten(now: dt.datetime, dry_run: bool) -> int:
    """Discard previews that nobody imported.

    One that a worker is importing waits.
    """
    old = ImportRun.objects.filter(status__in=WAITING, started_at__lte=now - PREVIEWS_WAIT).exclude(job__error="")
    if dry_run:
        return old.count()
    return for_each(list(old.order_by("pk").values_list("pk", flat=True)), partial(_discard, now=now))


@transaction.atomic
def _discard(pk: int, now: dt.datetime) -> None:
    run = ImportRun.objects.select_for_update(of=("self",)).defer("content").get(pk=pk)
    if run.is_waiting:
        empty_preview(run, now=now)
        record_import(run, EventKind.DISCARDED, author=None, now=now)


def _drop_rows(now: dt.datetime, dry_run: bool) -> int:
    """Drop the cells of rows set aside.

    The report keeps what was wrong with them.
    """
    old = ImportRun.objects.exclude(status__in=WAITING).filter(
        finished_at__lte=now - ROWS_KEPT, report__set_aside__0__isnull=False
    )
    if dry_run:
        return old.count()
    return for_each(list(old.order_by("pk").values_list("pk", flat=True)), _drop_rows_of)


@transaction.atomic
def _drop_rows_of(pk: int) -> None:
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=pk)
    run.report["set_aside"] = []
    run.save(update_fields=["report"])


def register() -> None:
    """Register the rules; once, at start-up."""
    basis = "public task: a directory of the organisations that work together on housing"
    register_retention(
        "lists nobody imported",
        what="A published list that was uploaded and neither imported nor discarded",
        purpose="showing what importing it would do",
        basis=basis,
        kept_for="30 days after the upload",
        apply=_discard_forgotten,
    )
    register_retention(
        "rows set aside",
        what="Rows of a published list that could not be used",
        purpose="correcting them and uploading them again",
        basis=basis,
        kept_for="180 days after the import; at once when the preview is discarded",
        apply=_drop_rows,
    )
