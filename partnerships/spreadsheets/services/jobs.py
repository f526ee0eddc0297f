"""Previews and imports large spreadsheets in a worker. Pages show the progress."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction

from partnerships.kit.leased_jobs import Progress, work_through
from partnerships.kit.rights import UnableToAct, require
from partnerships.people.models import User
from partnerships.spreadsheets.models import IN_PROGRESS_STATUSES, Status, Upload
from partnerships.spreadsheets.services.applying import NOT_WAITING, UnableToApply, import_upload, preview_upload
from partnerships.spreadsheets.services.kinds import KINDS
from partnerships.spreadsheets.services.reading import upload_target
from partnerships.transfer.reading.problems import UnableToRead

#: If a worker dies, another worker may claim its spreadsheet after this time.
LEASE = dt.timedelta(minutes=15)
_FAILED = "Something went wrong, so we did not change anything. Ask the people who run this site before you try again."


def ask_to_import(*, upload: Upload, author: User, now: dt.datetime) -> Upload:
    """Import a small previewed upload at once, or let a worker import a large one.

    Raises `UnableToRead`. Raises `UnableToApply` if the upload was imported or discarded.
    """
    with transaction.atomic():
        locked_upload = Upload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
        require(
            locked_upload.by_id == author.pk
            and KINDS[locked_upload.kind].may_import(upload_target(locked_upload), author, now)
        )
        if not locked_upload.is_previewed:
            raise UnableToApply(NOT_WAITING)
        if locked_upload.total <= KINDS[locked_upload.kind].at_once:
            return import_upload(upload=locked_upload, author=author, now=now)

        locked_upload.status = Status.WAITING
        locked_upload.done = 0
        locked_upload.error = ""
        locked_upload.save(update_fields=["status", "done", "error"])
    return locked_upload


def process_waiting_uploads(*, now: dt.datetime) -> int:
    """Preview or import the uploads that wait for a worker, and return how many were tried. Safe to run twice."""
    waiting = Upload.objects.filter(status__in=IN_PROGRESS_STATUSES).order_by("started_at", "pk")
    waiting = waiting.select_related("by", "plan", "partnership", "organisation")
    return work_through(waiting, partial(_preview_or_import, now=now), lease=LEASE, failure_message=_FAILED, now=now)


def _preview_or_import(upload: Upload, progress: Progress, *, now: dt.datetime) -> str:
    """Preview or import the upload. Return the error message to show, or ""."""
    if upload.by is None:
        return "The person who uploaded this spreadsheet no longer has an account. Upload the file again yourself."
    work = preview_upload if upload.status == Status.UNCHECKED else import_upload
    try:
        work(upload=upload, author=upload.by, now=now, progress=progress)
    except UnableToRead as error:
        return " ".join(error.lines())
    except UnableToAct:
        return "You can no longer import this spreadsheet. Ask a lead of your organisation to import it."
    except UnableToApply as error:
        return str(error)
    return ""
