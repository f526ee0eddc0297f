"""Celery tasks of the outbox, which wake senders.

Every task may run twice. A task has no arguments, because the rows of emails show what is to be done.
"""

from __future__ import annotations

import datetime as dt
import mmap
import signal
import struct

import structlog
from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from partnerships.kit.operators import alert_operators
from partnerships.kit.text import counted
from partnerships.outbox.claiming import has_due_emails
from partnerships.outbox.doubts import is_in_future
from partnerships.outbox.drain_threads import DrainThreads
from partnerships.outbox.retention import MIN_MONTHS_READY, count_months_ready, make_partitions

log = structlog.get_logger(__name__)

#: A drain ends after this many seconds and starts another, so that a worker can be stopped soon.
_SECONDS = 20.0
#: After this many seconds, an email waits in a separate thread.
_PATIENCE_SECONDS = 2.0

_threads = DrainThreads(lanes="others", patience=_PATIENCE_SECONDS, job="partnerships.outbox.tasks.drain")
#: 1 once the worker was asked to stop. Its first process sets this byte, and the other processes share the memory.
_stopping = mmap.mmap(-1, 1)
#: The time until which a process of the worker pauses, in shared memory, because the first process watches the others.
_MOMENT = struct.Struct("d")
_paused_until = mmap.mmap(-1, _MOMENT.size)


def wake() -> None:
    """Start a drain for each process of the worker."""
    for _ in range(settings.WORKER_CONCURRENCY):
        drain.apply_async(expires=30)


@shared_task(name="partnerships.outbox.tasks.drain")
def drain() -> None:
    """Send due notices and digests. If emails remain when the time is up, start another drain."""
    is_done = _threads.run(seconds=_SECONDS, is_stopping=lambda: bool(_stopping[0]))
    (until,) = _MOMENT.unpack_from(_paused_until)
    _MOMENT.pack_into(_paused_until, 0, max(until, _threads.paused_until()))
    if not is_done:
        drain.apply_async(expires=30)


def is_paused() -> bool:
    """Return True if a process of this worker pauses, because most answers leave emails in doubt."""
    (until,) = _MOMENT.unpack_from(_paused_until)
    return is_in_future(until)


@worker_shutting_down.connect
def release_emails(**kwargs: object) -> None:
    """Let the drain of every process end after its present email."""
    _stopping[0] = 1


@worker_process_init.connect
def leave_stopping_to_the_first_process(**kwargs: object) -> None:
    """Ignore the signal TERM, which a service manager may send to all processes of a worker.

    The first process asks each of the others to stop once it has settled the emails that it has claimed.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@worker_process_shutdown.connect
def wait_for_answers(**kwargs: object) -> None:
    """Wait for the answers to the emails that were sent."""
    _threads.finish()


@shared_task(name="partnerships.outbox.tasks.sweep")
def sweep() -> None:
    """Start drains if notices or digests are due."""
    if has_due_emails(lanes="others"):
        wake()


@shared_task(name="partnerships.outbox.tasks.prepare_partitions")
def prepare_partitions() -> None:
    """Create the partitions of coming months, and alert administrators if these run out."""
    now = timezone.now()
    try:
        make_partitions(now=now)
    except OperationalError as error:
        # Another process, such as a backup, is reading the whole table. The job runs again in an hour.
        log.warning("partitions_not_made", kind=type(error).__name__)
    count = count_months_ready(now=now)
    if count < MIN_MONTHS_READY:
        alert_operators(
            "The outbox is running out of partitions",
            f"Partitions exist for {counted(count, 'month')} after this one. No email can be recorded in a month "
            "without a partition.\n\n"
            "The job outbox.prepare_partitions makes them every hour. The worker's log says why it fails.",
            quiet=dt.timedelta(days=1),
        )
