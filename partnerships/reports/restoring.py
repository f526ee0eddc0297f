"""After a restore: end schedules of reports again, and send them no more to those who had stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import Redone, ended_rows, redo_each, register_redo
from partnerships.reports.models import Recipient, Schedule
from partnerships.reports.services.recording import RECIPIENT, SCHEDULE, recipient_identity, schedule_identity
from partnerships.reports.services.scheduling import end_schedule


def redo_schedules(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the schedules that had ended since the backup."""

    def redo(schedule: Schedule, _line: dict[str, Any]) -> int:
        end_schedule(schedule=schedule, author=None, now=now)
        return 1

    rows = Schedule.objects.filter(pk__in={line["schedule"] for line in lines}, ended_at=None).order_by("pk")
    return redo_each("schedule", lines, rows, same=schedule_identity, began=lambda row: row.created_at, redo=redo)


def redo_recipients(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Send scheduled reports no more to those who had stopped them since the backup, unless they get them again."""
    rows = Recipient.objects.filter(schedule__in={line["schedule"] for line in lines})
    stopped = ended_rows(
        rows.select_related("schedule", "person"), lines, same=recipient_identity, began=lambda row: row.since
    )
    return Redone(Recipient.objects.filter(pk__in=[line.pk for line in stopped]).delete()[0])


def register() -> None:
    """Register these for after a restore."""
    register_redo(SCHEDULE, "scheduled reports ended again", redo_schedules)
    register_redo(RECIPIENT, "people who get no more of a scheduled report", redo_recipients)
