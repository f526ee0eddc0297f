"""Scheduled jobs on personal data."""

from __future__ import annotations

import datetime as dt

import structlog
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from partnerships.kit.operators import alert_operators
from partnerships.people.retention import OVERDUE, apply_retention_once, overdue_rules

log = structlog.get_logger(__name__)


@shared_task
def apply_retention_now() -> None:
    """Hourly: apply the retention rules once a day."""
    now = timezone.now()
    overdue = overdue_rules(now=now)
    if overdue:
        alert_operators(
            "Retention is overdue",
            f"No complete run for {OVERDUE.days} days: {', '.join(overdue)}.",
            quiet=dt.timedelta(days=1),
        )
    outcome = apply_retention_once(now=now, stop_on=(SoftTimeLimitExceeded,))
    if outcome is None:
        return
    log.info("retention_applied", **{name.replace(" ", "_"): count for name, count in outcome.removed.items()})
    if outcome.failed:
        rules = "\n".join(f"{name}: {kind}" for name, kind in sorted(outcome.failed.items()))
        alert_operators(
            "Retention rules failed",
            f"{rules}\n\nThe other rules ran. These are tried again every hour; the worker's log says why they failed.",
        )
