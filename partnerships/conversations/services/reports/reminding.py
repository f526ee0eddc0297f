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

#: Days before the due day at which leads are reminded, and days after it at which a report is escalated.
DAYS_BEFORE = 5
DAYS_UNTIL_ESCALATION = 10


@transaction.atomic
def remind_of_reports(*, now: dt.datetime) -> int:
    """Record the emails that are due about reports to submit; the number of reports.

    Once before the due day, once after it, and once to the escalation contact (leads, where there is none). After a
    pause, only the last of these. May run twice.
    """
    today = timezone.localdate(now)
    soon = today + dt.timedelta(days=DAYS_BEFORE)
    waiting = Report.objects.to_write().filter(due_on__lte=soon, escalated_at=None)
    reports = waiting.for_listing().select_for_update(of=("self",), skip_locked=True).order_by("pk")
    count = 0
    for report in reports:
        stage = _stage(report, today)
        if not stage:
            continue
        field = {"before": "reminded_at", "late": "chased_at", "escalated": "escalated_at"}[stage]
        setattr(report, field, now)
        report.save(update_fields=[field])
        if stage == "before" or (stage == "late" and report.reminded_at is None):
            due = {"due": report.due_on.isoformat()}
            record_report(report, EventKind.REPORT_DUE, author=None, organisation_id=None, now=now, after=due)
        record_emails(
            kind="conversations.report_due",
            people=[person.pk for person in people_to_chase(report, stage, today)],
            params={"report": report.pk, "stage": stage, "due_on": report.due_on.isoformat()},
            now=now,
        )
        count += 1
    return count


def _stage(report: Report, today: dt.date) -> str:
    """The email that is due now, or ""."""
    late = (today - report.due_on).days
    if late >= DAYS_UNTIL_ESCALATION:
        return "escalated"
    if late > 0:
        return "" if report.chased_at else "late"
    return "" if report.reminded_at else "before"
