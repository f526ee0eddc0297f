"""Preview an upload, import it, or discard it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.activity.services import from_spreadsheet, record
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.spreadsheets.event_kinds import EventKind
from partnerships.spreadsheets.models import Status, Upload
from partnerships.spreadsheets.services.kinds import KINDS, Run
from partnerships.spreadsheets.services.reading import table_of, target_of
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.directory import Progress, silent

#: Rows that the message names if nothing was imported.
MAX_NAMED = 5


class UnableToApply(Exception):
    """The upload is not a preview, or was imported or discarded meanwhile."""


def preview_upload(*, upload: Upload, author: User, now: dt.datetime, progress: Progress = silent) -> None:
    """Save what importing the file would do; everything is done and undone.

    Raises `UnableToRead` and `UnableToApply`.
    """
    with transaction.atomic():
        upload.seen = KINDS[upload.kind].revision(target_of(upload))
        report = _applied(upload, author, now, progress, seen=None)
        transaction.set_rollback(True)
    kept = Upload.objects.filter(pk=upload.pk, status=Status.UNCHECKED)
    if not kept.update(status=Status.PREVIEWED, report=_as_json(report), seen=upload.seen, claimed_until=None):
        raise UnableToApply("This spreadsheet has already been imported or discarded.")
    upload.status, upload.report = Status.PREVIEWED, _as_json(report)


def import_upload(*, upload: Upload, author: User, now: dt.datetime, progress: Progress = silent) -> Upload:
    """Import the good rows of a previewed upload; the others are set aside.

    Raises `UnableToApply` if it was imported or discarded meanwhile, or if all or nothing was chosen and a row cannot
    be used, and `UnableToRead`.
    """
    with transaction.atomic():
        report = _applied(upload, author, now, progress, seen=upload.seen)
        if upload.all_or_nothing and report.rows_set_aside:
            raise UnableToApply(_nothing(report))
        kept = Upload.objects.filter(pk=upload.pk, status__in=[Status.PREVIEWED, Status.WAITING])
        values = {"status": Status.APPLIED, "report": _as_json(report), "content": None, "finished_at": timezone.now()}
        if not kept.update(**values, claimed_until=None, error=""):
            raise UnableToApply("This spreadsheet has already been imported or discarded.")
        _record(upload, EventKind.IMPORTED, author=author, now=now, counts=dict(report.counts))
    upload.refresh_from_db()
    return upload


def _applied(upload: Upload, author: User, now: dt.datetime, progress: Progress, *, seen: int | None) -> Report:
    kind, target = KINDS[upload.kind], target_of(upload)
    require(kind.may_import(target, author, now))
    run = Run(target, author, now, table_of(upload, author, now), seen=seen, progress=progress)
    with from_spreadsheet(upload.pk):
        kind.apply(run)
    run.finish()
    return run.report


def _nothing(report: Report) -> str:
    """Why nothing was imported, with the rows.

    They may be good in the preview and not any more.
    """
    problems = report.lines["set_aside"]
    more = f" {len(problems) - MAX_NAMED:,} more rows cannot be used." if len(problems) > MAX_NAMED else ""
    return f"Nothing was imported. {' '.join(problems[:MAX_NAMED])}{more} Discard this spreadsheet and upload it again."


def _as_json(report: Report) -> dict[str, Any]:
    """The report with its counts, for the row of the upload."""
    return {**report.as_json(), "counts": dict(report.counts)}


def discard_upload(*, upload: Upload, author: User, now: dt.datetime) -> None:
    """Delete the file of an upload without importing it.

    Raises `UnableToApply` if it was imported or discarded, or a worker imports it.
    """
    with transaction.atomic():
        locked = Upload.objects.select_for_update(of=("self",)).defer("content").get(pk=upload.pk)
        require(locked.by_id == author.pk)
        if locked.is_over:
            raise UnableToApply("This spreadsheet has already been imported or discarded.")
        if locked.status == Status.WAITING and not locked.error:
            raise UnableToApply("This spreadsheet is being imported.")
        empty_upload(locked, now=now)
        _record(locked, EventKind.DISCARDED, author=author, now=now)


def empty_upload(upload: Upload, *, now: dt.datetime) -> None:
    """Discard a locked upload: its file and its rows go."""
    upload.status, upload.content, upload.finished_at = Status.DISCARDED, None, now
    upload.report = {**upload.report, "set_aside": [], "lines": {}}
    upload.save(update_fields=["status", "content", "finished_at", "report"])


def _record(upload: Upload, kind: EventKind, *, author: User, now: dt.datetime, **data: object) -> None:
    record(
        actor_id=author.pk,
        kind=kind,
        target_kind="spreadsheet",
        target_id=upload.pk,
        now=now,
        data={"title": upload.get_kind_display(), "plan": upload.plan_id, **data},
    )
