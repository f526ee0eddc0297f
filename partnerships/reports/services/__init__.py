"""What people do with reports: freeze them, and have them sent."""

from __future__ import annotations

from partnerships.reports.services.freezing import UnableToFreeze, freeze_report
from partnerships.reports.services.scheduling import (
    MAX_SCHEDULES,
    UnableToSchedule,
    end_schedule,
    receive_schedule,
    schedule_report,
    send_due_reports,
    stop_receiving,
)

__all__ = [
    "MAX_SCHEDULES",
    "UnableToFreeze",
    "UnableToSchedule",
    "end_schedule",
    "freeze_report",
    "receive_schedule",
    "schedule_report",
    "send_due_reports",
    "stop_receiving",
]
