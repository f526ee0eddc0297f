"""Who may open each page of reports.

Everybody may open a report, because it counts only what its reader may read.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils import timezone

from partnerships.reports import services
from partnerships.reports.registry import all_reports
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Freeze a report, schedule one that Vera gets every month, and write a file for Amina.

    The first two are for the Estuary Partnership.
    """
    now = timezone.now()
    report_arguments: dict[str, Any] = {
        "report": "partnership-register",
        "query_string": "",
        "audience": world.partnership,
    }
    world.things["frozen_report"] = services.freeze_report(
        **report_arguments, name="As reported to the board", reason="The board met.", author=world.amina, now=now
    )
    world.things["schedule"] = services.schedule_report(
        details=services.ScheduleDetails(
            **report_arguments,
            name="Every month",
            every="month",
            first_on=timezone.localdate(),
            people=[world.vera],
        ),
        author=world.amina,
        now=now,
    )
    world.things["report_file"] = services.ask_for_file(
        report="evidence-file", query_string="", form="xlsx", person=world.amina, now=now
    )
    services.make_files(now=now)


def _report_kwargs(slug: str, world: World) -> dict[str, Any]:
    """Return the keyword arguments of a report's URL."""
    return {"slug": slug}


_report = partial(_report_kwargs, "partnership-register")


def _frozen_kwargs(world: World) -> dict[str, Any]:
    return {"pk": world.things["frozen_report"].pk}


def _schedule_kwargs(world: World) -> dict[str, Any]:
    return {"pk": world.things["schedule"].pk}


def _file_kwargs(world: World) -> dict[str, Any]:
    return {"pk": world.things["report_file"].pk}


_READERS = expect(inside=200, outside=404)
_OWN = expect(inside=404, outside=404, lead=200)
_RECEIVERS = expect(inside=302, outside=404)

ROWS = (
    Row("reports:index", get=everyone()),
    *(
        Row("reports:report", case=report.slug, on=partial(_report_kwargs, report.slug), get=everyone())
        for report in all_reports()
    ),
    Row("reports:dashboard", get=everyone()),
    Row("reports:partnership-dashboard", on=lambda world: {"pk": world.partnership.pk}, get=_READERS),
    Row(
        "reports:organisation-dashboard",
        on=lambda world: {"pk": world.larkhaven.pk},
        get=expect(inside=200, outside=404, partner=404),
    ),
    Row("reports:make-file", on=lambda world: {"slug": "board-pack", "form": "xlsx"}, post=everyone(302)),
    Row("reports:made-file", on=_file_kwargs, get=_OWN),
    Row("reports:made-file-download", on=_file_kwargs, get=_OWN),
    Row("reports:made-file-remove", on=_file_kwargs, post=expect(inside=404, outside=404, lead=302)),
    Row("reports:file", on=lambda world: {**_report(world), "form": "xlsx"}, get=everyone()),
    # The form has no choice for people who may not report for anybody.
    Row("reports:freeze", on=_report, get=everyone(), post=everyone(422)),
    Row("reports:set-up", on=_report, get=everyone(), post=everyone(422)),
    Row("reports:frozen-list", get=everyone()),
    Row("reports:frozen", on=_frozen_kwargs, get=_READERS),
    Row("reports:frozen-file", on=lambda world: {**_frozen_kwargs(world), "form": "xlsx"}, get=_READERS),
    Row("reports:compare", on=_frozen_kwargs, get=_READERS),
    Row("reports:schedules", get=everyone()),
    Row("reports:schedule", on=_schedule_kwargs, get=_READERS),
    Row("reports:receive", on=_schedule_kwargs, post=_RECEIVERS),
    Row("reports:stop", on=_schedule_kwargs, post=_RECEIVERS),
    Row("reports:end", on=_schedule_kwargs, post=expect(inside=302, outside=404, viewer=403)),
)
