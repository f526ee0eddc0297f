"""Pages of reports, frozen reports and schedules."""

from __future__ import annotations

from partnerships.reports.views import dashboards, files
from partnerships.reports.views.frozen import compare_with_today, freeze_figures, frozen, frozen_file, frozen_list
from partnerships.reports.views.reading import download, index, show
from partnerships.reports.views.schedules import (
    end_own_schedule,
    new_schedule,
    schedule,
    schedules,
    start_receiving,
    stop_receiving,
)

__all__ = [
    "compare_with_today",
    "dashboards",
    "download",
    "end_own_schedule",
    "files",
    "freeze_figures",
    "frozen",
    "frozen_file",
    "frozen_list",
    "index",
    "new_schedule",
    "schedule",
    "schedules",
    "show",
    "start_receiving",
    "stop_receiving",
]
