"""What happens to frozen and scheduled reports when an organisation ends and another succeeds it.

Frozen reports and current schedules pass to the successor. Ended schedules stay as they are.
"""

from __future__ import annotations

from django.db.models import Q

from partnerships.organisations.obligations import Column, HeldRecord, Obligation, register_obligation
from partnerships.reports.models import FrozenReport, Schedule

FROZEN = Obligation(
    code="frozen_reports",
    label="Frozen reports",
    columns=(Column("reports.FrozenReport.organisation"),),
    records=lambda organisation, _day: FrozenReport.objects.filter(organisation=organisation).defer("content"),
    describe=lambda report, _organisation: HeldRecord(
        pk=report.pk, title=report.name, path=report.get_absolute_url(), generic_title=f"Frozen report {report.pk}"
    ),
    target="frozen_report",
)
SCHEDULES = Obligation(
    code="report_schedules",
    label="Scheduled reports",
    columns=(Column("reports.Schedule.organisation", only=Q(ended_at=None)),),
    records=lambda organisation, _day: Schedule.objects.filter(organisation=organisation, ended_at=None),
    describe=lambda schedule, _organisation: HeldRecord(
        pk=schedule.pk,
        title=schedule.name,
        path=schedule.get_absolute_url(),
        what=schedule.get_every_display(),
        generic_title=f"Scheduled report {schedule.pk}",
    ),
    target="report_schedule",
)


def register() -> None:
    """Register both kinds. Reports of a partnership remain with the partnership."""
    register_obligation(FROZEN)
    register_obligation(SCHEDULES)
