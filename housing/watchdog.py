"""Ends with exit code 75 when the workers have stalled, and 76 when beat hangs, for a supervisor to restart them.

A live Celery worker can stop consuming after its broker reconnects; nothing but the ledger shows it. A beat that hangs
shows in nothing but the age of its heartbeat. Run beside them as `python -m housing.watchdog`. The operators are told.
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
LOOK_EVERY_SECONDS = 15
OVERDUE_SECONDS = 60


def look() -> dict[str, Any]:
    """The ledger's figures, as `manage.py digests status --json` gives them."""
    output = io.StringIO()
    call_command("digests", "status", "--json", stdout=output)
    figures: dict[str, Any] = json.loads(output.getvalue().strip().splitlines()[-1])
    return figures


def is_stalled(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether something was overdue at both looks and nothing moved in between (a long queue moves)."""
    waits = [figures.get("oldest_due_seconds") or 0 for figures in (before, now)]
    moved = {key: value for key, value in before.items() if key != "oldest_due_seconds"} != {
        key: value for key, value in now.items() if key != "oldest_due_seconds"
    }
    return min(waits) > OVERDUE_SECONDS and not moved


def beat_hangs(before: float | None, now: float | None) -> bool:
    """Whether beat's heartbeat was too old at both looks: once may be a machine that slept."""
    return before is not None and now is not None and min(before, now) > STALE_SECONDS


def watch(*, look_every: float = LOOK_EVERY_SECONDS) -> int:
    """Look until workers or beat need a restart; a database that is away is no stall of theirs."""
    before: tuple[dict[str, Any], float | None] | None = None
    while True:
        time.sleep(look_every)
        try:
            now = look(), heartbeat_age(BEAT)
        except Error:
            connections.close_all()
            before = None
            continue
        if before and beat_hangs(before[1], now[1]):
            alert_operators("Beat hangs", f"No tick for {now[1]:.0f} seconds. It is being restarted.")
            return EXIT_BEAT_HANGS
        if before and is_stalled(before[0], now[0]):
            alert_operators(
                "The workers have stalled", "Emails are overdue and nothing moves. They are being restarted."
            )
            return EXIT_STALLED
        before = now


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    os.environ.setdefault("DATABASE_ROLE", "worker")
    django.setup()
    found = watch()
    # A mail server that hangs must not put off the restart.
    wait_for_alerts(seconds=10)
    sys.exit(found)
