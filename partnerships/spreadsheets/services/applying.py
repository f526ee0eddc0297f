"""Services that preview an upload, import it, or discard it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.activity.services import record, recording_from_spreadsheet
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.spreadsheets.event_kinds import EventKind
from partnerships.spreadsheets.models import Status, Upload
from partnerships.spreadsheets.services.kinds import KINDS, ImportedRows
from partnerships.spreadsheets.services.reading import upload_table, upload_target
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.directory import Progress, ignore_progress

#: The message if headings can no longer be matched or the upload imported, also while a worker is importing.
NOT_WAITING = (
    "This spreadsheet has already been imported or discarded, or is being imported. To import it again, upload the "
    "file on the spreadsheets page."
)
#: The message if an upload that is over cannot be imported or discarded.
ALREADY_OVER = (
    "This spreadsheet has already been imported or discarded. To import it again, upload the file on the spreadsheets "
    "page."
)
#: If nothing was imported, the message names at most this many rows.
MAX_NAMED = 5


class UnableToApply(Exception):
    """Raised if the upload is not a preview, or was imported or discarded in the meantime."""


def preview_upload(*, upload: Upload, author: User, now: dt.datetime, progress: Progress = ignore_progress) -> None:
    """Save what an import of the file would change as a preview.

    To find that out, the rows are imported in a transaction that is then undone. Raises `UnableToRead` and
    `UnableToApply`.
    """
    with transaction.atomic():
        upload.seen = KINDS[upload.kind].revision(upload_target(upload))
        report = _import_rows(upload, author=author, now=now, progress=progress, previewed_revision=None)
        transaction.set_rollback(True)
    unchecked = Upload.objects.filter(pk=upload.pk, status=Status.UNCHECKED)
    if not unchecked.update(status=Status.PREVIEWED, report=_as_json(report), seen=upload.seen, claimed_until=None):
        raise UnableToApply(ALREADY_OVER)
    # The caller's upload has the same values as the row that `update` has changed.
    upload.status = Status.PREVIEWED
    upload.report = _as_json(report)


def import_upload(*, upload: Upload, author: User, now: dt.datetime, progress: Progress = ignore_progress) -> Upload:
    """Import the good rows of a previewed upload, and set the other rows aside.

    Raises `UnableToRead`. Raises `UnableToApply` if the upload was imported or discarded in the meantime, or if the
    author chose all or nothing and a row cannot be used.
    """
    with transaction.atomic():
        report = _import_rows(upload, author=author, now=now, progress=progress, previewed_revision=upload.seen)
        if upload.all_or_nothing and report.rows_set_aside:
            raise UnableToApply(_nothing_imported(report))
        importable = Upload.objects.filter(pk=upload.pk, status__in=[Status.PREVIEWED, Status.WAITING])
        updated = importable.update(
            status=Status.APPLIED,
            report=_as_json(report),
            content=None,
            finished_at=timezone.now(),
            claimed_until=None,
            error="",
        )
        if not updated:
            raise UnableToApply(ALREADY_OVER)
        _record(upload, EventKind.IMPORTED, author=author, now=now, counts=dict(report.counts))
    upload.refresh_from_db()
    return upload


def _import_rows(
    upload: Upload, *, author: User, now: dt.datetime, progress: Progress, previewed_revision: int | None
) -> Report:
    """Import the rows inside the caller's transaction, and return the report."""
    kind, target = KINDS[upload.kind], upload_target(upload)
    require(kind.may_import(target, author, now))
    run = ImportedRows(
        target=target,
        author=author,
        now=now,
        table=upload_table(upload, author, now),
        previewed_revision=previewed_revision,
        progress=progress,
    )
    with recording_from_spreadsheet(upload.pk):
        kind.apply(run)
    run.finish()
    return run.report


def _nothing_imported(report: Report) -> str:
    """Return the message that nothing was imported, with the rows that have become unusable since the preview."""
    problems = report.lines["set_aside"]
    more = f" {len(problems) - MAX_NAMED:,} more rows cannot be used." if len(problems) > MAX_NAMED else ""
    return f"Nothing was imported. {' '.join(problems[:MAX_NAMED])}{more} Discard this spreadsheet and upload it again."


def _as_json(report: Report) -> dict[str, Any]:
    """Return the report with its counts, for `Upload.report`."""
    return {**report.as_json(), "counts": dict(report.counts)}


def discard_upload(*, upload: Upload, author: User, now: dt.datetime) -> None:
    """Delete the file of an upload without importing it.

    Raises `UnableToApply` if the upload was already imported or discarded, or is being imported.
    """
    with transaction.atomic():
        locked_upload = Upload.objects.select_for_update(of=("self",)).defer("content").get(pk=upload.pk)
        require(locked_upload.by_id == author.pk)
        if locked_upload.is_over:
            raise UnableToApply(ALREADY_OVER)
        if locked_upload.status == Status.WAITING and not locked_upload.error:
            raise UnableToApply("This spreadsheet is being imported, so you can no longer discard it.")
        empty_upload(locked_upload, now=now)
        _record(locked_upload, EventKind.DISCARDED, author=author, now=now)


def empty_upload(upload: Upload, *, now: dt.datetime) -> None:
    """Discard a locked upload, with its file and the rows in its report."""
    upload.status = Status.DISCARDED
    upload.content = None
    upload.finished_at = now
    upload.report = {**upload.report, "set_aside": [], "lines": {}}
    upload.save(update_fields=["status", "content", "finished_at", "report"])


def _record(upload: Upload, kind: EventKind, *, author: User, now: dt.datetime, **data: object) -> None:
    """Record an event about a spreadsheet."""
    record(
        actor_id=author.pk,
        kind=kind,
        target_kind="spreadsheet",
        target_id=upload.pk,
        now=now,
        data={"title": upload.get_kind_display(), "plan": upload.plan_id, **data},
    )
