"""After a restore, end schedules and remove recipients again as the journal says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import RedoResult, ended_rows, redo_each, register_redo
from partnerships.reports.models import Recipient, Schedule
from partnerships.reports.services.recording import RECIPIENT, SCHEDULE, recipient_identity, schedule_identity
from partnerships.reports.services.scheduling import end_schedule


def redo_schedules(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End the schedules that were ended since the backup."""

    def end_again(schedule: Schedule, _line: dict[str, Any]) -> int:
        end_schedule(schedule=schedule, author=None, now=now)
        return 1

    schedules = Schedule.objects.filter(pk__in={line["schedule"] for line in lines}, ended_at=None).order_by("pk")
    return redo_each(
        "schedule",
        lines,
        schedules,
        identity_of=schedule_identity,
        began_at=lambda schedule: schedule.created_at,
        redo=end_again,
    )


def redo_recipients(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove the recipients who stopped a scheduled report since the backup and did not request it again."""
    recipients = Recipient.objects.filter(schedule__in={line["schedule"] for line in lines})
    stopped_recipients = ended_rows(
        recipients.select_related("schedule", "person"),
        lines,
        identity_of=recipient_identity,
        began_at=lambda recipient: recipient.since,
    )
    removed_count, _ = Recipient.objects.filter(pk__in=[recipient.pk for recipient in stopped_recipients]).delete()
    return RedoResult(removed_count)


def register() -> None:
    """Register how each kind of journal line is applied after a restore."""
    register_redo(SCHEDULE, "scheduled reports ended again", redo_schedules)
    register_redo(RECIPIENT, "people who no longer get a scheduled report", redo_recipients)
