"""Scheduled tasks for the journal and for retention."""

from __future__ import annotations

import datetime as dt

import structlog
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from partnerships.kit.journal import oldest_waiting, write_waiting
from partnerships.kit.operators import alert_operators
from partnerships.people.retention import OVERDUE, apply_retention_once, overdue_rules

log = structlog.get_logger(__name__)

#: Operators are alerted if a line has waited longer than this to be written to the journal's file.
_JOURNAL_LATE = dt.timedelta(minutes=10)


@shared_task
def write_journal() -> None:
    """Write the journal lines that killed processes left behind. Runs every 30 seconds."""
    now = timezone.now()
    write_waiting(now=now)
    oldest = oldest_waiting()
    if oldest is not None and oldest <= now - _JOURNAL_LATE:
        alert_operators(
            "The journal cannot be written",
            f"Lines of the journal have been waiting in the database since {oldest.isoformat(timespec='minutes')}. "
            "Check JOURNAL_ROOT. The disk may be full, or the workers may not have permission to write there. Until "
            "this is fixed, a restore would bring back access that has ended.",
            quiet=dt.timedelta(hours=1),
        )


@shared_task
def apply_retention_now() -> None:
    """Apply the retention rules once a day. Runs every hour."""
    now = timezone.now()
    overdue = overdue_rules(now=now)
    if overdue:
        alert_operators(
            "Retention is overdue",
            f"These rules have not run completely for {OVERDUE.days} days: {', '.join(overdue)}. The worker’s log "
            "says why. Fix the cause. We try again every hour.",
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
            f"{rules}\n\nThe other rules ran. We try the failed rules again every hour. The worker’s log says why "
            "they failed.",
        )
