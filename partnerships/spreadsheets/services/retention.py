"""Retention rules for uploaded spreadsheets."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction

from partnerships.people.retention import count_successes, delete_in_batches, register_retention
from partnerships.spreadsheets.models import FINAL_STATUSES, Upload
from partnerships.spreadsheets.services.applying import empty_upload

#: A file that nobody imported is discarded after this time.
DISCARDED_AFTER = dt.timedelta(days=30)
#: An imported or discarded upload is deleted after this time. Until then, its rows set aside can be downloaded.
DELETED_AFTER = dt.timedelta(days=30)


def _discard_old(now: dt.datetime, dry_run: bool) -> int:
    """Discard the files that nobody imported in time, and return how many."""
    old_uploads = Upload.objects.exclude(status__in=FINAL_STATUSES).filter(started_at__lte=now - DISCARDED_AFTER)
    if dry_run:
        return old_uploads.count()
    return count_successes(list(old_uploads.order_by("pk").values_list("pk", flat=True)), partial(_discard, now=now))


@transaction.atomic
def _discard(pk: int, now: dt.datetime) -> None:
    """Discard one file, unless a person has imported or discarded it in the meantime."""
    upload = Upload.objects.select_for_update(of=("self",)).defer("content").get(pk=pk)
    if not upload.is_over:
        empty_upload(upload, now=now)


def _delete_old(now: dt.datetime, dry_run: bool) -> int:
    """Delete the uploads that were imported or discarded long ago, and return how many."""
    old_uploads = Upload.objects.filter(status__in=FINAL_STATUSES, finished_at__lte=now - DELETED_AFTER)
    return delete_in_batches(old_uploads, dry_run=dry_run)


def register() -> None:
    """Register the retention rules."""
    basis = "public task: plans and agreements of the organisations that work together on housing"
    register_retention(
        "spreadsheets nobody imported",
        what="A partner’s spreadsheet that was uploaded and neither imported nor discarded",
        purpose="so that the person who uploaded it can see what an import would change",
        basis=basis,
        kept_for="30 days after the upload",
        apply=_discard_old,
    )
    register_retention(
        "imported spreadsheets",
        what="What a partner’s spreadsheet changed, and the rows that could not be used",
        purpose="correcting rows and uploading them again",
        basis=basis,
        kept_for="30 days after the import",
        apply=_delete_old,
    )
