"""Services to freeze and to schedule reports."""

from __future__ import annotations

from partnerships.reports.services.files import (
    MAX_FILES,
    UnableToMakeFile,
    ask_for_file,
    make_files,
    may_download,
    remove_file,
)
from partnerships.reports.services.freezing import UnableToFreeze, freeze_report
from partnerships.reports.services.scheduling import (
    MAX_SCHEDULES,
    ScheduleDetails,
    UnableToSchedule,
    end_schedule,
    receive_schedule,
    schedule_report,
    send_due_reports,
    stop_receiving,
)

__all__ = [
    "MAX_FILES",
    "MAX_SCHEDULES",
    "ScheduleDetails",
    "UnableToFreeze",
    "UnableToMakeFile",
    "UnableToSchedule",
    "ask_for_file",
    "end_schedule",
    "freeze_report",
    "make_files",
    "may_download",
    "receive_schedule",
    "remove_file",
    "schedule_report",
    "send_due_reports",
    "stop_receiving",
]
