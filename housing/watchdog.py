"""The watchdog: exits with 75 when workers have stalled and with 76 when beat hangs, and alerts operators.

A supervisor restarts what the exit code names. A Celery worker can stop consuming after its broker reconnects, which
only the queue of emails shows; a hanging beat shows only in the age of its heartbeat. Run `python -m housing.watchdog`
beside them.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from typing import Any

import django
from django.core.management import call_command
from django.db import Error, connections

from housing.heartbeats import BEAT, STALE_SECONDS, heartbeat_age
from partnerships.kit.operators import alert_operators, wait_for_alerts

EXIT_STALLED = 75
EXIT_BEAT_HANGS = 76
CHECK_EVERY_SECONDS = 15
OVERDUE_SECONDS = 60


def queue_figures() -> dict[str, Any]:
    """The figures of `manage.py digests status --json`."""
    output = io.StringIO()
    call_command("digests", "status", "--json", stdout=output)
    figures: dict[str, Any] = json.loads(output.getvalue().strip().splitlines()[-1])
    return figures


def is_stalled(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether emails were overdue at both checks and nothing but their ages changed in between."""
    waits = [figures.get("oldest_due_seconds") or 0 for figures in (before, now)]
    return min(waits) > OVERDUE_SECONDS and _without_ages(before) == _without_ages(now)


def _without_ages(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures that change only if somebody works."""
    return {name: value for name, value in figures.items() if not name.startswith("oldest_")}


def beat_hangs(before: float | None, now: float | None) -> bool:
    """Whether the heartbeat was too old at both checks; once can be a machine that slept."""
    return before is not None and now is not None and min(before, now) > STALE_SECONDS


def watch(*, check_every: float = CHECK_EVERY_SECONDS) -> int:
    """Check until workers or beat need a restart; returns the exit code that says which.

    A missing database is not their fault and starts the checks again.
    """
    before: tuple[dict[str, Any], float | None] | None = None
    while True:
        time.sleep(check_every)
        try:
            now = queue_figures(), heartbeat_age(BEAT)
        except Error:
            connections.close_all()
            before = None
            continue
        if before and beat_hangs(before[1], now[1]):
            alert_operators("Beat hangs", f"No tick for {now[1]:.0f} seconds. It is being restarted.")
            return EXIT_BEAT_HANGS
        if before and is_stalled(before[0], now[0]):
            alert_operators(
                "The workers have stalled",
                "Emails are overdue and none is being sent. The workers are being restarted.",
            )
            return EXIT_STALLED
        before = now


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    os.environ.setdefault("DATABASE_ROLE", "worker")
    django.setup()
    found = watch()
    # A hanging mail server must not delay the restart.
    wait_for_alerts(seconds=10)
    sys.exit(found)
