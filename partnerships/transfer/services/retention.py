"""Retention rules for uploaded lists and for rows set aside.

Lists are published, but a person may upload the wrong file, or a list with the names of contacts in other columns.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction

from partnerships.people.retention import count_successes, register_retention
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import WAITING_STATUSES, ImportRun
from partnerships.transfer.services.recording import record_import
from partnerships.transfer.services.registers.previewing import empty_preview

#: How long after the upload a list is discarded that nobody has imported.
DISCARDED_AFTER = dt.timedelta(days=30)
#: How long after the import rows set aside can be downloaded.
ROWS_KEPT = dt.timedelta(days=180)


def _discard_old_previews(now: dt.datetime, dry_run: bool) -> int:
    """Discard previews that nobody imported, unless a worker is importing them."""
    old_runs = ImportRun.objects.filter(status__in=WAITING_STATUSES, started_at__lte=now - DISCARDED_AFTER)
    old_runs = old_runs.exclude(job__error="")
    if dry_run:
        return old_runs.count()
    return count_successes(list(old_runs.order_by("pk").values_list("pk", flat=True)), partial(_discard, now=now))


@transaction.atomic
def _discard(pk: int, now: dt.datetime) -> None:
    run = ImportRun.objects.select_for_update(of=("self",)).defer("content").get(pk=pk)
    if run.is_waiting:
        empty_preview(run, now=now)
        record_import(run, EventKind.DISCARDED, author=None, now=now)


def _delete_old_rows(now: dt.datetime, dry_run: bool) -> int:
    """Delete the cells of old rows set aside from reports, but not the problems of the rows."""
    old_runs = ImportRun.objects.exclude(status__in=WAITING_STATUSES).filter(
        finished_at__lte=now - ROWS_KEPT, report__set_aside__0__isnull=False
    )
    if dry_run:
        return old_runs.count()
    return count_successes(list(old_runs.order_by("pk").values_list("pk", flat=True)), _delete_rows)


@transaction.atomic
def _delete_rows(pk: int) -> None:
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=pk)
    run.report["set_aside"] = []
    run.save(update_fields=["report"])


def register() -> None:
    """Register the rules when Django starts."""
    basis = "public task: a directory of the organisations that work together on housing"
    register_retention(
        "lists nobody imported",
        what="A published list that was uploaded and neither imported nor discarded",
        purpose="so that the person who uploaded it can see what an import would change",
        basis=basis,
        kept_for="30 days after the upload",
        apply=_discard_old_previews,
    )
    register_retention(
        "rows set aside",
        what="Rows of a published list that could not be used",
        purpose="correcting them and uploading them again",
        basis=basis,
        kept_for="180 days after the import, or until the preview is discarded",
        apply=_delete_old_rows,
    )
