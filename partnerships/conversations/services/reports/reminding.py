"""Service that reminds of progress reports and chases overdue ones."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Report
from partnerships.conversations.queries.reports import people_to_chase
from partnerships.conversations.services.reports.recording import record_report
from partnerships.outbox.services import record_emails
from partnerships.people.lead_times import EverybodysLeadTimes, everybodys_lead_times, is_time_to_remind
from partnerships.people.models import ReminderKind

#: Days before the due day at which followers hear that a progress report is due.
DAYS_BEFORE = 5
#: Days after the due day at which the escalation post hears that a progress report is late.
DAYS_UNTIL_ESCALATION = 10


@transaction.atomic
def remind_of_reports(*, now: dt.datetime) -> int:
    """Record the emails that are due about reports to submit.

    Returns the number of reports. Before the due day at the lead times of each lead, once after it, and once to the
    escalation contact (leads, where there is none). After a pause, only the last of these. May run twice.
    """
    today = timezone.localdate(now)
    lead_times = everybodys_lead_times(ReminderKind.REPORTS)
    soon = today + dt.timedelta(days=max(lead_times.any_days))
    waiting = Report.objects.to_write().filter(due_on__lte=soon, escalated_at=None)
    reports = waiting.for_listing().select_for_update(of=("self",), skip_locked=True).order_by("pk")
    return sum(_remind(report, lead_times, now) for report in reports)


def _remind(report: Report, lead_times: EverybodysLeadTimes, now: dt.datetime) -> bool:
    """Record the email about one report if it is due now."""
    today = timezone.localdate(now)
    stage = _stage(report, today)
    if not stage:
        return False
    last = timezone.localdate(report.reminded_at) if report.reminded_at else None
    is_near = is_time_to_remind([DAYS_BEFORE], report.due_on, last=last, today=today, even_after=True)
    people: list[int] = []
    if stage != "before" or is_time_to_remind(lead_times.any_days, report.due_on, last=last, today=today):
        people = [person.pk for person in people_to_chase(report, stage, today)]
    if stage == "before":
        people = [pk for pk in people if is_time_to_remind(lead_times.of(pk), report.due_on, last=last, today=today)]
        if not people and not is_near:
            return False
    field = {"before": "reminded_at", "late": "chased_at", "escalated": "escalated_at"}[stage]
    setattr(report, field, now)
    report.save(update_fields=[field])
    if is_near and stage != "escalated":
        due = {"due": report.due_on.isoformat()}
        record_report(report, EventKind.REPORT_DUE, author=None, organisation_id=None, now=now, after=due)
    # The clock opens the report again after a restore, under another number.
    slot = {
        "party": report.party_id,
        "starts_on": report.starts_on.isoformat(),
        "stage": stage,
        "due_on": report.due_on.isoformat(),
    }
    record_emails(
        kind="conversations.report_due",
        people=people,
        params={"report": report.pk, "stage": stage, "due_on": report.due_on.isoformat(), "slot": slot},
        now=now,
    )
    return True


def _stage(report: Report, today: dt.date) -> str:
    """The email that may be due now, or ""."""
    late = (today - report.due_on).days
    if late >= DAYS_UNTIL_ESCALATION:
        return "escalated"
    if late > 0:
        return "" if report.chased_at else "late"
    return "before"
