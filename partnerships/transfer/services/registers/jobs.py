"""Check and import lists in a worker; pages show the progress."""

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

#: If a worker dies, another one starts on its job after this time. The largest register takes about two minutes.
LEASE = dt.timedelta(minutes=15)
_FAILED = (
    "Something went wrong in the import, or it took longer than 14 minutes. Ask the people who run this site before "
    "you try again."
)


def ask_to_apply(*, run: ImportRun, author: User, now: dt.datetime, accept_missing: bool = False) -> ImportJob:
    """Let a worker import a preview; the job has the progress.

    After an error, the job starts again. Raises `UnableToApply` if the preview was applied or discarded, or is being
    imported.
    """
    with transaction.atomic():
        waiting = ImportRun.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=run.pk)
        require(may_apply(author, now, register=waiting.register, organisation=waiting.organisation))
        if waiting.status != RunStatus.PREVIEWED:
            raise UnableToApply(
                "This import has already been applied or discarded. Upload the file again to start a new import."
            )
        if ImportJob.objects.filter(run=waiting, error="").exists():
            raise UnableToApply("This import is already running. Wait for it to finish.")
        job, _ = ImportJob.objects.update_or_create(
            run=waiting,
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
    """Check or import the lists that wait for a worker; returns how many were tried. May run twice."""
    waiting = ImportJob.objects.select_related("run__organisation", "asked_by").order_by("asked_at", "pk")
    return work_through(waiting, partial(_apply, now=now), lease=LEASE, failed=_FAILED, now=now)


def _apply(job: ImportJob, progress: Progress, *, now: dt.datetime) -> str:
    """Check or import the list; returns the error to show, "" if there is none."""
    if job.asked_by is None:
        return "The person who started this import no longer has an account. Start it again."
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
        return "The person who started this import may no longer import files. Ask somebody who may to start it again."
    except UnableToApply as error:
        return str(error)
    return ""
