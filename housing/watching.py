"""A worker's watch over itself.

One thread says "alive", another lets the worker end with 75 when its main thread hangs or emails stall.

A Celery worker can stop consuming after its broker reconnects, which only the queue of emails shows. What started the
worker starts it again. A worker whose processes are at work has not stalled, however long emails wait for it. If the
main thread or the whole process hangs, "alive" is missing, and systemd or `make run` restarts it. Beat says "alive" at
each tick.
"""

from __future__ import annotations

import os
import signal
import threading
import time
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
#: Emails that are overdue for this long, while nothing moves, mean that the worker has stalled.
OVERDUE_SECONDS = 60
#: How long a stalled worker may take to stop as for a deployment, before it ends at once.
STOP_SECONDS = 30.0
#: What Celery may take to end a task after its time limit.
_LIMIT_MARGIN_SECONDS = 30.0


def queue_seen() -> dict[str, Any]:
    """The figures of the queue, and whether this worker pauses because a mail server leaves emails in doubt."""
    return queue_figures() | {"is_paused": is_paused()}


def is_stalled(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether emails were overdue at both checks and nothing but their ages changed in between.

    A worker that paused at one of them has not stalled: its next drain may not have begun yet.
    """
    if before.get("is_paused") or now.get("is_paused"):
        return False
    waits = [figures.get("oldest_due_seconds") or 0 for figures in (before, now)]
    return min(waits) > OVERDUE_SECONDS and _without_ages(before) == _without_ages(now)


def _without_ages(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures that change only if somebody works."""
    return {name: value for name, value in figures.items() if not name.startswith("oldest_")}


def beat_hangs(before: float | None, now: float | None) -> bool:
    """Whether the heartbeat was too old at both checks.

    Once can be a machine that slept.
    """
    return before is not None and now is not None and min(before, now) > STALE_SECONDS


def is_at_work() -> bool:
    """Whether a process of this worker has a task that is within its time limit.

    All may be busy with long jobs, such as imports, while emails wait. A worker that stopped consuming has no task, and
    one whose main thread hangs does not notice that its tasks have ended.
    """
    if main_loop.hangs():
        return False
    try:
        running = [(task.time_start, task.task.time_limit) for task in state.active_requests]
    except RuntimeError:  # one began or ended meanwhile
        return True
    now = time.time()
    return any(
        began and now - began < (limit or app.conf.task_time_limit) + _LIMIT_MARGIN_SECONDS for began, limit in running
    )


def say_alive() -> None:
    """Say "alive" for ever, except while the main thread hangs.

    A database that keeps the other thread waiting is not the worker's fault.
    """
    while True:
        if not main_loop.hangs():
            notify(ALIVE)
        time.sleep(CHECK_EVERY_SECONDS)


def watch() -> None:
    """Look again and again, and return when the main thread hangs, or emails stall and this worker does nothing.

    Each look records that this machine has a worker, except while it has no broker.

    A database that is away or takes no writes is not the worker's fault and starts the checks again; at the second look
    operators are told. So is a beat that hangs or is missing: it is restarted by what started it.
    """
    before: tuple[dict[str, Any], float | None] | None = None
    hung_before = False
    fault_before = ""
    while True:
        time.sleep(CHECK_EVERY_SECONDS)
        # Twice, because once can be a process that was stopped and goes on.
        if (hangs_now := main_loop.hangs()) and hung_before:
            alert_operators(
                "A worker hangs", "Its main thread has not moved for a minute and a half. It is being restarted."
            )
            return
        hung_before = hangs_now
        fault = ""
        try:
            now = None if is_read_only() else (queue_seen(), heartbeat_age(BEAT))
            if now is None:
                fault = "It takes no writes: it is a standby, or set so."
            elif not hangs_now and not main_loop.is_connecting():
                record_heartbeat(on_this_machine(WORKER))
        except Error as error:
            connections.close_all()
            now, fault = None, f"{type(error).__name__}: {error}"
        if fault and fault_before:
            alert_operators("Workers cannot use the database", f"They go on when it is back.\n\n{fault}")
        fault_before = fault
        if before and now:
            if beat_hangs(before[1], now[1]):
                alert_operators(
                    "Celery beat has stopped",
                    f"No tick for {now[1]:.0f} seconds. If it is not restarted soon, restart it.",
                )
            if is_stalled(before[0], now[0]) and not is_at_work():
                alert_operators(
                    "The workers have stalled",
                    "Emails are overdue and none is being sent. Workers that have nothing to do are being restarted.",
                )
                return
        before = now


class Watch:
    """The watch over the worker in this process."""

    def __init__(self) -> None:
        self.has_stalled = False
        self._stopped = threading.Event()

    def begin(self) -> None:
        """Watch in threads of their own, because the worker's main thread may hang."""
        threading.Thread(target=say_alive, name="alive", daemon=True).start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def end(self) -> None:
        """The worker has stopped: its end need not be forced."""
        self._stopped.set()

    def _watch(self) -> None:
        watch()
        self.has_stalled = True
        # A hanging mail server must not delay the restart.
        wait_for_alerts(seconds=10)
        os.kill(os.getpid(), signal.SIGTERM)
        if not self._stopped.wait(STOP_SECONDS):
            os._exit(EXIT_STALLED)
