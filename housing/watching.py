"""A worker watches itself, so that its supervisor (systemd or `make run`) restarts it if it hangs or stalls.

- One thread notifies the supervisor that the worker is alive, unless the main thread hangs. If the whole process hangs,
  no thread does, and the supervisor restarts the worker.
- Another thread ends the worker with exit code 75 if the main thread hangs, or if emails are overdue and nothing is
  being sent. A Celery worker can stop consuming after its broker reconnects, and only the queue of emails
  shows that. A worker that is busy with a task has not stalled, however long emails are waiting for it.

It also alerts operators if beat hangs.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from typing import Any

from celery.worker import state
from django.db import Error, connections

from housing import main_loop
from housing.celery import app
from housing.heartbeats import (
    BEAT,
    SEEN_EVERY_SECONDS,
    STALE_SECONDS,
    WORKER,
    heartbeat_age,
    on_this_machine,
    record_heartbeat,
)
from housing.notifying import ALIVE, EXIT_STALLED, notify
from housing.upgrades import is_read_only
from partnerships.digests.queries.queue import queue_figures
from partnerships.kit.operators import alert_operators, wait_for_alerts
from partnerships.outbox.tasks import is_paused

CHECK_EVERY_SECONDS = SEEN_EVERY_SECONDS
#: A worker has stalled if emails are overdue for this long and no email is sent.
OVERDUE_SECONDS = 60
#: The time that a stalled worker may take to stop normally before it is ended by force.
STOP_SECONDS = 30.0
#: The time that Celery may take to end a task after its time limit.
_LIMIT_MARGIN_SECONDS = 30.0


def queue_seen() -> dict[str, Any]:
    """Return the metrics of the queue of emails, and whether this worker pauses because of emails in doubt."""
    return queue_figures() | {"is_paused": is_paused()}


def is_stalled(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return whether emails were overdue at both checks, and no figure but their ages changed in between.

    A worker that paused at one of the checks has not stalled, because it may not have continued yet.
    """
    if before.get("is_paused") or now.get("is_paused"):
        return False
    oldest_ages = [figures.get("oldest_due_seconds") or 0 for figures in (before, now)]
    return min(oldest_ages) > OVERDUE_SECONDS and _without_ages(before) == _without_ages(now)


def _without_ages(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics that change only if emails are sent."""
    return {name: value for name, value in figures.items() if not name.startswith("oldest_")}


def beat_hangs(before: float | None, now: float | None) -> bool:
    """Return whether beat's heartbeat was too old at both checks.

    If it was too old at one check, the machine may just have been asleep.
    """
    return before is not None and now is not None and min(before, now) > STALE_SECONDS


def is_at_work() -> bool:
    """Return whether a process of this worker has a task that is within its time limit.

    All processes may be busy with long jobs, such as imports, while emails wait. A worker that stopped consuming has no
    task. If the main thread hangs, the result is False, because the worker would not notice that its tasks have ended.
    """
    if main_loop.hangs():
        return False
    try:
        requests = [(request.time_start, request.task.time_limit) for request in state.active_requests]
    except RuntimeError:  # a task began or ended during the loop
        return True
    now = time.time()
    return any(
        started_at and now - started_at < (limit or app.conf.task_time_limit) + _LIMIT_MARGIN_SECONDS
        for started_at, limit in requests
    )


def say_alive() -> None:
    """Notify the supervisor for ever that the worker is alive, except while its main thread hangs.

    This needs a separate thread, because the other thread may be waiting for the database. That is no reason for a
    restart.
    """
    while True:
        if not main_loop.hangs():
            notify(ALIVE)
        time.sleep(CHECK_EVERY_SECONDS)


def watch() -> None:
    """Check the worker regularly. Returns when its main thread hangs, or when emails stall and it has no task.

    Each check also records the worker's heartbeat, except while it has no broker. Only a fault at two checks in a row
    has consequences, because at the first check the process may just have been stopped for a while.

    An outage of the database is not the worker's fault. Operators are alerted, and the checks start again. They are
    also alerted if beat hangs, but another supervisor restarts beat.
    """
    previous = _DatabaseCheck()
    did_hang = False
    while True:
        time.sleep(CHECK_EVERY_SECONDS)
        hangs = main_loop.hangs()
        if hangs and did_hang:
            alert_operators(
                "A worker has stopped responding",
                "The main thread of a worker has not responded for 90 seconds. The worker is restarting.",
            )
            return
        did_hang = hangs

        current = _check_database(main_thread_hangs=hangs)
        if current.fault and previous.fault:
            alert_operators(
                "Workers cannot use the database",
                f"Workers will continue when the database is available again.\n\n{current.fault}",
            )
        if beat_hangs(previous.beat_age, current.beat_age):
            alert_operators(
                "Celery beat has stopped",
                f"Beat has not ticked for {current.beat_age:.0f} seconds. If beat does not restart soon, restart it.",
            )
        has_stalled = (
            previous.queue is not None and current.queue is not None and is_stalled(previous.queue, current.queue)
        )
        if has_stalled and not is_at_work():
            alert_operators(
                "The workers have stalled",
                "Emails are overdue, and no worker is sending any. Idle workers are restarting.",
            )
            return
        previous = current


@dataclass(frozen=True, slots=True)
class _DatabaseCheck:
    """The figures that a check read from the database, or the reason why it could not (`fault`)."""

    fault: str = ""
    queue: dict[str, Any] | None = None
    beat_age: float | None = None


def _check_database(*, main_thread_hangs: bool) -> _DatabaseCheck:
    """Read the queue of emails and beat's heartbeat.

    It also records the worker's own heartbeat if the worker can receive tasks.
    """
    try:
        if is_read_only():
            return _DatabaseCheck(fault="The database accepts no changes. It is a standby, or is set to read-only.")
        check = _DatabaseCheck(queue=queue_seen(), beat_age=heartbeat_age(BEAT))
        if not main_thread_hangs and not main_loop.is_connecting():
            record_heartbeat(on_this_machine(WORKER))
    except Error as error:
        connections.close_all()
        return _DatabaseCheck(fault=f"{type(error).__name__}: {error}")
    return check


class Watch:
    """The watch over the worker in this process."""

    def __init__(self) -> None:
        self.has_stalled = False
        self._stopped = threading.Event()

    def begin(self) -> None:
        """Start both threads."""
        threading.Thread(target=say_alive, name="alive", daemon=True).start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def end(self) -> None:
        """Record that the worker has stopped, so that it need not be ended by force."""
        self._stopped.set()

    def _watch(self) -> None:
        """Watch the worker. When it has stalled, ask it to stop, and end it by force if it does not."""
        watch()
        self.has_stalled = True
        # At most 10 seconds, because a mail server that hangs must not delay the restart.
        wait_for_alerts(seconds=10)
        os.kill(os.getpid(), signal.SIGTERM)
        if not self._stopped.wait(STOP_SECONDS):
            os._exit(EXIT_STALLED)
