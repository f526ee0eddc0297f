"""Pages of reports, frozen reports and schedules."""

from __future__ import annotations

from partnerships.reports.views import dashboards, files
from partnerships.reports.views.frozen import compare, freeze, frozen, frozen_file, frozen_list
from partnerships.reports.views.reading import download, index, show
from partnerships.reports.views.schedules import end, receive, schedule, schedules, set_up, stop

__all__ = [
    "compare",
    "dashboards",
    "download",
    "end",
    "files",
    "freeze",
    "frozen",
    "frozen_file",
    "frozen_list",
    "index",
    "receive",
    "schedule",
    "schedules",
    "set_up",
    "show",
    "stop",
]
