"""Frozen and scheduled reports as things that an organisation holds."""

from __future__ import annotations

from django.db.models import Q

from partnerships.organisations.obligations import Column, Held, Obligation, register_obligation
from partnerships.reports.models import FrozenReport, Schedule

FROZEN = Obligation(
    "frozen_reports",
    "Frozen reports",
    (Column("reports.FrozenReport.organisation"),),
    lambda organisation, _: FrozenReport.objects.filter(organisation=organisation).defer("content"),
    lambda one, _: Held(one.pk, one.name, one.get_absolute_url(), outside=f"Frozen report {one.pk}"),
    target="frozen_report",
)
SCHEDULES = Obligation(
    "report_schedules",
    "Scheduled reports",
    (Column("reports.Schedule.organisation", only=Q(ended_at=None)),),
    lambda organisation, _: Schedule.objects.filter(organisation=organisation, ended_at=None),
    lambda one, _: Held(
        one.pk, one.name, one.get_absolute_url(), one.get_every_display(), outside=f"Scheduled report {one.pk}"
    ),
    target="report_schedule",
)


def register() -> None:
    """Register both.

    Reports of partnerships need nothing: their readers are the parties.
    """
    register_obligation(FROZEN)
    register_obligation(SCHEDULES)
