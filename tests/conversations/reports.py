"""Helpers that make progress reports for tests, through services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.conversations import services
from partnerships.conversations.models import Report, ReportSubmission
from partnerships.conversations.reporting import USUAL_QUESTIONS, add_months
from partnerships.people.models import User
from tests.world import World


def last_month() -> dt.date:
    """Return the first day of last month."""
    return add_months(timezone.localdate().replace(day=1), -1)


def join_before(world: World, day: dt.date) -> None:
    """Change the parties of the Estuary Partnership so that they joined before a day."""
    Party.objects.filter(partnership=world.partnership).update(joined_on=day - dt.timedelta(days=1))


def set_up(world: World, *, starts_on: dt.date | None = None, exempt: Sequence[Party] = (), due_days: int = 10) -> None:
    """Set up monthly reports from last month on, as Amina. The first reports open at once."""
    starts_on = starts_on or last_month()
    join_before(world, starts_on)
    services.set_up_reporting(
        partnership=world.partnership,
        period="month",
        starts_on=starts_on,
        due_days=due_days,
        questions=USUAL_QUESTIONS,
        exempt=exempt,
        author=world.amina,
        now=timezone.now(),
    )


def the_report(world: World) -> Report:
    """Return Westmarch's report for last month, after setting up reports."""
    set_up(world)
    return Report.objects.for_listing().get(party__organisation=world.westmarch)


def write(report: Report, author: User, text: str = "Forty homes.", code: str = "q1") -> Report:
    """Write the answer to one question, starting from what is saved at present."""
    present_revision = Report.objects.get(pk=report.pk).revision
    return services.save_report(
        report=report, answers={code: text}, revision=present_revision, author=author, now=timezone.now()
    )


def submit(report: Report, author: User, text: str = "Forty homes.") -> ReportSubmission:
    """Write an answer and submit the report."""
    revision = write(report, author, text).revision
    return services.submit_report(report=report, revision=revision, author=author, now=timezone.now())


def submitted(world: World) -> Report:
    """Return Westmarch's report, which Ben has submitted."""
    report = the_report(world)
    if report.is_to_write:
        submit(report, world.ben)
    report.refresh_from_db()
    return report
