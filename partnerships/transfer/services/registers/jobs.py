"""Imports that a worker does, with progress that others can read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Q
from django.db.utils import DEFAULT_DB_ALIAS

from partnerships.kit.rights import UnableToAct, require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.models import ImportJob, ImportRun, RunStatus
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.directory import Progress
from partnerships.transfer.services.registers.previewing import UnableToApply, apply_preview

log = structlog.get_logger(__name__)

#: A job of a worker that died is taken up again after this time; the largest register takes about two minutes.
LEASE = dt.timedelta(minutes=15)
#: Rows between two updates of the progress.
STEP = 25
_FAILED = (
    "Something went wrong in the import, or it took longer than 14 minutes. Ask the operators before you try again."
)


def ask_to_apply(*, run: ImportRun, author: User, now: dt.datetime, accept_missing: bool = False) -> ImportJob:
    """Let a worker import a preview; the job says how far it is.

    Asking again after an error starts it again. Raises `UnableToApply` if the preview was applied or discarded, or is
    being imported.
    """
    with transaction.atomic():
        waiting = ImportRun.objects.select_for_update().get(pk=run.pk)
        require(roles_of(author, now).keeps_directory)
        if waiting.status != RunStatus.PREVIEWED:
            raise UnableToApply("This import has already been applied or discarded.")
        if ImportJob.objects.filter(run=waiting, error="").exists():
            raise UnableToApply("This import is already running.")
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
    """Import every preview that waits for a worker; how many were tried.

    May run twice: a job is claimed for a time, and imported in one transaction.
    """
    tried = 0
    while (job := _claim(now)) is not None:
        tried += 1
        try:
            error = _apply(job, now)
        except (OperationalError, InterfaceError) as failure:
            # Another import lasts longer than the database lets us wait, or it is away: the next sweep tries again.
            log.warning("import_put_off", job=job.pk, kind=type(failure).__name__)
            ImportJob.objects.filter(pk=job.pk).update(claimed_until=None)
            break
        except Exception:  # with the time limit of the task: otherwise it would be tried for ever
            ImportJob.objects.filter(pk=job.pk).update(error=_FAILED, claimed_until=None)
            raise
        if error:
            ImportJob.objects.filter(pk=job.pk).update(error=error, claimed_until=None)
    return tried


def _claim(now: dt.datetime) -> ImportJob | None:
    with transaction.atomic():
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        jobs = ImportJob.objects.select_for_update(of=("self",), skip_locked=True).select_related("run", "asked_by")
        job = jobs.filter(free, error="").order_by("asked_at", "pk").first()
        if job is not None:
            job.claimed_until = now + LEASE
            job.save(update_fields=["claimed_until"])
    return job


def _apply(job: ImportJob, now: dt.datetime) -> str:
    """Import the preview; "" or why it was not imported."""
    if job.asked_by is None:
        return "The administrator who asked for this import has left. Ask for it again."
    try:
        with _shown_progress(job) as progress:
            apply_preview(
                run=job.run, author=job.asked_by, now=now, accept_missing=job.accept_missing, progress=progress
            )
    except ImportRun.DoesNotExist:
        return ""
    except UnableToRead as error:
        return " ".join(error.lines())
    except UnableToAct:
        return "The administrator who asked for this import may not import any more. Ask for it again."
    except UnableToApply as error:
        return str(error)
    return ""


@contextmanager
def _shown_progress(job: ImportJob) -> Iterator[Progress]:
    """Progress on a connection of its own: the import's transaction shows nothing before its end."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)

    def show(done: int, total: int) -> None:
        if done % STEP and done != total:
            return
        with connection.cursor() as cursor:
            cursor.execute("UPDATE transfer_importjob SET done = %s, total = %s WHERE id = %s", [done, total, job.pk])

    try:
        yield show
    finally:
        connection.close()
