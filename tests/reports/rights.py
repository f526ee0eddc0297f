"""The people who may call each service of reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from partnerships.organisations.models import Role
from partnerships.people.models import User
from partnerships.reports import services
from partnerships.reports.models import Schedule
from tests.support.rights import EDITORS, EVERYBODY, LEAD, PARTNER_EDITORS, Row
from tests.world import World, join, person

#: Editors of a party, but not of an observer, who may only read and comment.
_FOR_PARTIES = EDITORS | PARTNER_EDITORS
_READERS = _FOR_PARTIES | {"viewer", "observer"}


def _scheduled(world: World) -> Schedule:
    """Schedule a report that Vera gets."""
    return services.schedule_report(details=_details(world), author=world.amina, now=timezone.now())


def _scheduled_for_another(world: World) -> Schedule:
    """Schedule a report that no persona gets yet."""
    nils = person("Nils Larch", "nils@larkhaven.example")
    join(nils, world.larkhaven, Role.VIEWER, world.now)
    return services.schedule_report(details=_details(world, people=[nils]), author=world.amina, now=timezone.now())


def _details(world: World, people: Sequence[User] = ()) -> services.ScheduleDetails:
    """Return a schedule for the Estuary Partnership, with Vera as recipient if no other people are given."""
    return services.ScheduleDetails(
        report="partnership-register",
        query_string="",
        name="Every month",
        every="month",
        first_on=timezone.localdate(),
        people=people or [world.vera],
        audience=world.partnership,
    )


def _freeze(world: World, author: User, audience: Any) -> object:
    """Freeze a report for this organisation or partnership as this person."""
    return services.freeze_report(
        report="partnership-register",
        query_string="",
        name="As reported",
        reason="The board met.",
        audience=audience,
        author=author,
        now=timezone.now(),
    )


ROWS = (
    Row("reports.freeze_report", lambda world, author, _: _freeze(world, author, world.partnership), _FOR_PARTIES),
    Row(
        "reports.freeze_report",
        lambda world, author, _: _freeze(world, author, world.larkhaven),
        EDITORS,
        situation="for one organisation",
    ),
    Row(
        "reports.schedule_report",
        lambda world, author, _: services.schedule_report(details=_details(world), author=author, now=timezone.now()),
        _FOR_PARTIES,
    ),
    Row(
        "reports.end_schedule",
        lambda world, author, schedule: services.end_schedule(schedule=schedule, author=author, now=timezone.now()),
        _FOR_PARTIES,
        prepare=_scheduled,
    ),
    Row(
        "reports.receive_schedule",
        lambda world, author, schedule: services.receive_schedule(schedule=schedule, person=author, now=timezone.now()),
        _READERS,
        prepare=_scheduled_for_another,
    ),
    Row(
        "reports.ask_for_file",
        lambda world, author, _: services.ask_for_file(
            report="board-pack", query_string="", form="pdf", person=author, now=timezone.now()
        ),
        EVERYBODY - {"stakeholder"},
    ),
    Row(
        "reports.remove_file",
        lambda world, author, file: services.remove_file(file=file, person=author),
        LEAD,
        prepare=lambda world: services.ask_for_file(
            report="board-pack", query_string="", form="pdf", person=world.amina, now=timezone.now()
        ),
    ),
)
WITHOUT_A_PERSON = {
    "reports.make_files": "called by the clock",
    "reports.may_download": "a question that a page asks",
    "reports.record_event": "records what another service did",
    "reports.send_due_reports": "called by the clock",
    "reports.stop_receiving": "ends what the person gets themselves, which nobody needs a right for",
}
