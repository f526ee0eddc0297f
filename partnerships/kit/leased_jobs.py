"""Queues of long jobs in the database, which workers claim for a time while pages show their progress.

A room has a model derived from `LeasedJob`, with a row for each job, and a task that calls `work_through`. Each job is
done in one transaction. If a worker dies, another worker claims the job when the lease ends, and tries it again.
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

#: The number of steps of a job between two updates of its progress.
STEP = 25
#: Seconds after which a task claims no further job, because a job may need all of the task's time limit.
LONG_ENOUGH = 60.0
#: PostgreSQL's code for a statement that exceeded its time limit (query_canceled).
_CANCELLED = "57014"
#: A function that is called with the number of steps done and the number of all steps.
Progress = Callable[[int, int], None]


class LeasedJob(models.Model):
    """A job that is waiting, is claimed or has failed. Once it is done, its room deletes or changes the row.

    Another worker may claim the job from `claimed_until`. `error` is the reason why the job failed, or "".
    """

    claimed_until = models.DateTimeField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def is_running(self) -> bool:
        """Return whether the job is waiting for a worker or a worker is doing it."""
        return not self.error


Job = TypeVar("Job", bound=LeasedJob)


def work_through(
    waiting: QuerySet[Job],
    work: Callable[[Job, Progress], str],
    *,
    lease: dt.timedelta,
    failure_message: str,
    now: dt.datetime,
    fail: Callable[[Job, str], object] | None = None,
) -> int:
    """Do the waiting jobs in the order of the queryset, and return how many were tried.

    `work` does one job and returns "", or the reason why the job failed. A job that raises an error fails with the text
    `failed` as its reason. Failed jobs are not tried again until a person requests it. `fail` stores the reason, if the
    room must do more than that.

    After an outage of the database, or a long wait for a lock, the job is retried by the next task. But a job with a
    statement that exceeds the database's time limit fails, because it would exceed the limit each time.

    After a minute, the remaining jobs are left to the next scheduled task.
    """
    tried_count = 0
    mark_failed = fail or _mark_failed
    started_at = time.monotonic()
    while time.monotonic() - started_at <= LONG_ENOUGH and (job := _claim(waiting, lease, now)) is not None:
        tried_count += 1
        try:
            with shown_progress(job) as progress:
                reason = work(job, progress)
        except (OperationalError, InterfaceError) as error:
            if was_cancelled(error):
                mark_failed(job, failure_message)
                raise
            log.warning("job_put_off", job=job.pk, model=job._meta.label, kind=type(error).__name__)
            type(job)._default_manager.filter(pk=job.pk).update(claimed_until=None)
            break
        except Exception:  # includes the task's time limit, because the job would otherwise be retried for ever
            mark_failed(job, failure_message)
            raise
        if reason:
            mark_failed(job, reason)
    return tried_count


def was_cancelled(error: Exception) -> bool:
    """Return whether a statement exceeded the database's time limit, so that a retry would not help."""
    return getattr(error.__cause__, "pgcode", "") == _CANCELLED


def _mark_failed(job: LeasedJob, reason: str) -> None:
    """Store the reason why the job failed, and end its lease."""
    type(job)._default_manager.filter(pk=job.pk).update(error=reason, claimed_until=None)


def _claim(waiting: QuerySet[Job], lease: dt.timedelta, now: dt.datetime) -> Job | None:
    """Claim the first job that no other worker has, until the lease ends. Returns None if there is no such job."""
    with transaction.atomic():
        is_free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        job = waiting.filter(is_free, error="").select_for_update(of=("self",), skip_locked=True).first()
        if job is not None:
            job.claimed_until = now + lease
            job.save(update_fields=["claimed_until"])
    return job


@contextmanager
def shown_progress(job: LeasedJob) -> Iterator[Progress]:
    """Provide a function that stores a job's progress at once, on a separate connection.

    Within the job's transaction, nobody could see the progress before the end. That transaction must not change the
    job's row before its last step, because this function would then wait for the lock of its own job.
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
