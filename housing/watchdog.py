"""Looks whether digests that are due go out, and ends with exit code 75 when the worker has stalled.

A live Celery worker can stop consuming after its broker reconnects; nothing but the ledger shows it. Run beside a
worker as `python -m housing.watchdog` under a supervisor that restarts the worker on that code.
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

EXIT_STALLED = 75
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


def watch() -> int:
    """Look until the worker stalls; a database that is away is nobody's stall."""
    before: dict[str, Any] = {}
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        try:
            now = look()
        except Error:
            connections.close_all()
            before = {}
            continue
        if before and is_stalled(before, now):
            return EXIT_STALLED
        before = now


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    os.environ.setdefault("DATABASE_ROLE", "worker")
    django.setup()
    sys.exit(watch())
