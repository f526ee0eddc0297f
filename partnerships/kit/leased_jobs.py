"""Long work that a worker takes up.

Claimed under a lease, with progress that others can read.

A room has a model of `LeasedJob`, whose rows wait, and a task that calls `work_through`. Each job is done in one
transaction of its own, and may be tried twice.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connections, models, transaction
from django.db.models import Q, QuerySet
from django.db.utils import DEFAULT_DB_ALIAS

log = structlog.get_logger(__name__)

#: Steps between two updates of the progress.
STEP = 25
#: Seconds after which a task takes up no further job: each needs the lease and the task's time limit for itself.
LONG_ENOUGH = 60.0
#: PostgreSQL's code for a statement that took longer than it may (query_canceled).
_CANCELLED = "57014"
#: Shows how much is done of how much.
Progress = Callable[[int, int], None]


class LeasedJob(models.Model):
    """A job that waits, is claimed, or has failed.

    Its room deletes it or goes on when it is done. `claimed_until` is when another worker takes it up; `error` is why
    nothing was done.
    """

    claimed_until = models.DateTimeField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def is_running(self) -> bool:
        """Whether it still waits for a worker, or one is at it."""
        return not self.error


Job = TypeVar("Job", bound=LeasedJob)


def work_through(
    waiting: QuerySet[Job],
    work: Callable[[Job, Progress], str],
    *,
    lease: dt.timedelta,
    failed: str,
    now: dt.datetime,
    fail: Callable[[Job, str], object] | None = None,
) -> int:
    """Do the jobs that wait, in the order of the queryset.

    Returns how many were tried.

    After a minute the others are left to the next task, which the schedule starts soon. `work` does one and returns ""
    or, if it could not, why. A job that raises gets the text `failed` and is not tried again until somebody asks.
    `fail` writes why a job failed, if there is more to do then than that. While the database is away, or keeps us
    waiting for a lock, it goes back to the others. A statement that takes longer than the database allows would do so
    each time, so that fails it.
    """
    tried, settle, began = 0, fail or _fail, time.monotonic()
    while time.monotonic() - began <= LONG_ENOUGH and (job := _claim(waiting, lease, now)) is not None:
        tried += 1
        try:
            with shown_progress(job) as progress:
                error = work(job, progress)
        except (OperationalError, InterfaceError) as failure:
            if was_cancelled(failure):
                settle(job, failed)
                raise
            log.warning("job_put_off", job=job.pk, model=job._meta.label, kind=type(failure).__name__)
            type(job)._default_manager.filter(pk=job.pk).update(claimed_until=None)
            break
        except Exception:  # with the time limit of the task: otherwise it would be tried for ever
            settle(job, failed)
            raise
        if error:
            settle(job, error)
    return tried


def was_cancelled(failure: Exception) -> bool:
    """Whether a statement exceeded the time limit.

    Not an outage, since it would fail each time.
    """
    return getattr(failure.__cause__, "pgcode", "") == _CANCELLED


def _fail(job: LeasedJob, error: str) -> None:
    type(job)._default_manager.filter(pk=job.pk).update(error=error, claimed_until=None)


def _claim(waiting: QuerySet[Job], lease: dt.timedelta, now: dt.datetime) -> Job | None:
    with transaction.atomic():
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        job = waiting.filter(free, error="").select_for_update(of=("self",), skip_locked=True).first()
        if job is not None:
            job.claimed_until = now + lease
            job.save(update_fields=["claimed_until"])
    return job


@contextmanager
def shown_progress(job: LeasedJob) -> Iterator[Progress]:
    """Progress on a connection of its own.

    The job's transaction shows nothing before its end. That transaction must touch the job's row last of all, or it
    waits for itself.
    """
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    statement = f'UPDATE "{job._meta.db_table}" SET done = %s, total = %s WHERE id = %s'  # noqa: S608 - our table

    def show(done: int, total: int) -> None:
        if done % STEP and done != total:
            return
        with connection.cursor() as cursor:
            cursor.execute(statement, [done, total, job.pk])

    try:
        yield show
    finally:
        connection.close()
