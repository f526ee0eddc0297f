"""Frozen and scheduled reports of an organisation, which can be transferred to a successor."""

from __future__ import annotations

from django.db.models import Q

from partnerships.organisations.obligations import Column, HeldRecord, Obligation, register_obligation
from partnerships.reports.models import FrozenReport, Schedule

FROZEN = Obligation(
    "frozen_reports",
    "Frozen reports",
    (Column("reports.FrozenReport.organisation"),),
    lambda organisation, _: FrozenReport.objects.filter(organisation=organisation).defer("content"),
    lambda report, _: HeldRecord(
        report.pk, report.name, report.get_absolute_url(), generic_title=f"Frozen report {report.pk}"
    ),
    target="frozen_report",
)
SCHEDULES = Obligation(
    "report_schedules",
    "Scheduled reports",
    (Column("reports.Schedule.organisation", only=Q(ended_at=None)),),
    lambda organisation, _: Schedule.objects.filter(organisation=organisation, ended_at=None),
    lambda schedule, _: HeldRecord(
        schedule.pk,
        schedule.name,
        schedule.get_absolute_url(),
        schedule.get_every_display(),
        generic_title=f"Scheduled report {schedule.pk}",
    ),
    target="report_schedule",
)


def register() -> None:
    """Register both kinds. Reports of a partnership remain with the partnership."""
    register_obligation(FROZEN)
    register_obligation(SCHEDULES)
