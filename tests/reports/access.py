"""Who gets what at each URL of reports. Everybody may open a report: it counts what they may read."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils import timezone

from partnerships.reports import services
from partnerships.reports.registry import all_reports
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Make a frozen report for the Estuary Partnership, one that Vera gets every month, and a file for Amina."""
    now = timezone.now()
    given: dict[str, Any] = {"report": "partnership-register", "query_string": "", "body": world.partnership}
    world.things["frozen_report"] = services.freeze_report(
        **given, name="As reported to the board", reason="The board met.", author=world.amina, now=now
    )
    world.things["schedule"] = services.schedule_report(
        details=services.ScheduleDetails(
            **given,
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


def _of(slug: str, world: World) -> dict[str, Any]:
    return {"slug": slug}


_report = partial(_of, "partnership-register")


def _frozen(world: World) -> dict[str, Any]:
    return {"pk": world.things["frozen_report"].pk}


def _schedule(world: World) -> dict[str, Any]:
    return {"pk": world.things["schedule"].pk}


def _made(world: World) -> dict[str, Any]:
    return {"pk": world.things["report_file"].pk}


_READERS = expect(inside=200, outside=404)
_OWN = expect(inside=404, outside=404, lead=200)
_RECEIVERS = expect(inside=302, outside=404)

ROWS = (
    Row("reports:index", get=everyone()),
    *(
        Row("reports:report", case=report.slug, on=partial(_of, report.slug), get=everyone())
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
    Row("reports:made-file", on=_made, get=_OWN),
    Row("reports:made-file-download", on=_made, get=_OWN),
    Row("reports:made-file-remove", on=_made, post=expect(inside=404, outside=404, lead=302)),
    Row("reports:file", on=lambda world: {**_report(world), "form": "xlsx"}, get=everyone()),
    # Those who may report for nobody find no choice in the form.
    Row("reports:freeze", on=_report, get=everyone(), post=everyone(422)),
    Row("reports:set-up", on=_report, get=everyone(), post=everyone(422)),
    Row("reports:frozen-list", get=everyone()),
    Row("reports:frozen", on=_frozen, get=_READERS),
    Row("reports:frozen-file", on=lambda world: {**_frozen(world), "form": "xlsx"}, get=_READERS),
    Row("reports:compare", on=_frozen, get=_READERS),
    Row("reports:schedules", get=everyone()),
    Row("reports:schedule", on=_schedule, get=_READERS),
    Row("reports:receive", on=_schedule, post=_RECEIVERS),
    Row("reports:stop", on=_schedule, post=_RECEIVERS),
    Row("reports:end", on=_schedule, post=expect(inside=302, outside=404, viewer=403)),
)
