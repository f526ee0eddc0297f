"""Check and import lists in a worker, while pages show the progress."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction

from partnerships.kit.leased_jobs import Progress, work_through
from partnerships.kit.rights import UnableToAct, require
from partnerships.people.models import User
from partnerships.transfer.models import ImportJob, ImportRun, RunStatus
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.rights import may_apply
from partnerships.transfer.services.registers.previewing import UnableToApply, apply_preview, check_list

#: How long a worker may work on a job before another one starts it again. The largest register takes two minutes.
LEASE = dt.timedelta(minutes=15)
_FAILED = (
    "Something went wrong in the import, or it took longer than 14 minutes. Ask the people who run this site before "
    "you try again."
)


def queue_import(*, run: ImportRun, author: User, now: dt.datetime, accept_missing: bool = False) -> ImportJob:
    """Queue a preview for a worker to import. The job that is returned shows the progress.

    After an error, the job starts again. Raises `UnableToApply` if the preview was applied or discarded, or is being
    imported.
    """
    with transaction.atomic():
        locked_run = ImportRun.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=run.pk)
        require(may_apply(author, now, register=locked_run.register, organisation=locked_run.organisation))
        if locked_run.status != RunStatus.PREVIEWED:
            raise UnableToApply(
                "This import has already been applied or discarded. Upload the file again to start a new import."
            )
        if ImportJob.objects.filter(run=locked_run, error="").exists():
            raise UnableToApply("This import is already running. Wait for it to finish.")
        job, _ = ImportJob.objects.update_or_create(
            run=locked_run,
            defaults={
                "asked_at": now,
                "asked_by": author,
                "accept_missing": accept_missing,
                "claimed_until": None,
                "done": 0,
                "total": 0,
                "error": "",
            },
        )
    return job


def apply_waiting(*, now: dt.datetime) -> int:
    """Check or import the lists that are queued, and return how many were tried. Two calls may run at once."""
    queued_jobs = ImportJob.objects.select_related("run__organisation", "asked_by").order_by("asked_at", "pk")
    return work_through(queued_jobs, partial(_apply, now=now), lease=LEASE, failure_message=_FAILED, now=now)


def _apply(job: ImportJob, progress: Progress, *, now: dt.datetime) -> str:
    """Check or import the list, and return the error to show, or "" without an error."""
    if job.asked_by is None:
        return "The person who started this import no longer has an account. Start the import again."
    try:
        if job.run.is_unchecked:
            check_list(run=job.run, author=job.asked_by, now=now, progress=progress)
        else:
            apply_preview(
                run=job.run, author=job.asked_by, now=now, accept_missing=job.accept_missing, progress=progress
            )
    except ImportRun.DoesNotExist:
        return ""
    except UnableToRead as error:
        return " ".join(error.lines())
    except UnableToAct:
        return (
            "The person who started this import may no longer import files. Ask a colleague who may import files to "
            "start it again."
        )
    except UnableToApply as error:
        return str(error)
    return ""
