"""The service that reminds people of progress reports that are due or overdue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Report
from partnerships.conversations.queries.reports import people_to_chase
from partnerships.conversations.services.reports.recording import record_report
from partnerships.outbox.services import record_emails
from partnerships.people.lead_times import LeadTimesByPerson, is_time_to_remind, lead_times_by_person
from partnerships.people.models import ReminderKind

#: Followers are notified that a progress report is due this many days before its due day.
DAYS_BEFORE = 5
#: The escalation post gets an email this many days after the due day of a late progress report.
DAYS_UNTIL_ESCALATION = 10


@transaction.atomic
def remind_of_reports(*, now: dt.datetime) -> int:
    """Record the emails that are due about reports to submit, and return the number of reports. This may run twice.

    - Before the due day, each lead gets emails at the lead times they chose.
    - After the due day, all leads get one email.
    - `DAYS_UNTIL_ESCALATION` after the due day, the escalation post gets one email, or the leads if it is vacant.
    If the task did not run for a while, only the last of these emails is sent.
    """
    today = timezone.localdate(now)
    lead_times = lead_times_by_person(ReminderKind.REPORTS)
    soon = today + dt.timedelta(days=max(lead_times.any_days))
    reports_to_write = Report.objects.to_write().filter(due_on__lte=soon, escalated_at=None)
    reports = reports_to_write.for_listing().select_for_update(of=("self",), skip_locked=True).order_by("pk")
    return sum(_remind(report, lead_times, now) for report in reports)


def _remind(report: Report, lead_times: LeadTimesByPerson, now: dt.datetime) -> bool:
    """Record the emails about one report if they are due now, and return whether they were due."""
    today = timezone.localdate(now)
    stage = _stage(report, today)
    if not stage:
        return False
    last_reminder = timezone.localdate(report.reminded_at) if report.reminded_at else None
    is_near = is_time_to_remind([DAYS_BEFORE], report.due_on, last_reminder=last_reminder, today=today, even_after=True)
    if stage == "before":
        recipient_ids = _people_to_remind(report, lead_times, last_reminder, today)
        if not recipient_ids and not is_near:
            return False
    else:
        recipient_ids = [person.pk for person in people_to_chase(report, stage, today)]

    stage_field = {"before": "reminded_at", "late": "chased_at", "escalated": "escalated_at"}[stage]
    setattr(report, stage_field, now)
    report.save(update_fields=[stage_field])

    if is_near and stage != "escalated":
        due = {"due": report.due_on.isoformat()}
        record_report(report, EventKind.REPORT_DUE, author=None, organisation_id=None, now=now, after=due)
    # These values identify the email after a restore, because the report may be opened again with another id.
    slot = {
        "party": report.party_id,
        "starts_on": report.starts_on.isoformat(),
        "stage": stage,
        "due_on": report.due_on.isoformat(),
    }
    record_emails(
        kind="conversations.report_due",
        people=recipient_ids,
        params={"report": report.pk, "stage": stage, "due_on": report.due_on.isoformat(), "slot": slot},
        now=now,
    )
    return True


def _people_to_remind(
    report: Report, lead_times: LeadTimesByPerson, last_reminder: dt.date | None, today: dt.date
) -> list[int]:
    """Return the ids of the people whose own lead time for the due day has come."""

    def is_time(days: Collection[int]) -> bool:
        return is_time_to_remind(days, report.due_on, last_reminder=last_reminder, today=today)

    # Most days are nobody's lead time, so the people need not be fetched.
    if not is_time(lead_times.any_days):
        return []
    return [person.pk for person in people_to_chase(report, "before", today) if is_time(lead_times.of(person.pk))]


def _stage(report: Report, today: dt.date) -> str:
    """Return which email may be due now: "before", "late" or "escalated"; "" if none is due."""
    days_late = (today - report.due_on).days
    if days_late >= DAYS_UNTIL_ESCALATION:
        return "escalated"
    if days_late > 0:
        return "" if report.chased_at else "late"
    return "before"
