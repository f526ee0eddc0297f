"""Services that accept or return a submitted progress report."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Decision, Report, ReportStatus, ReportSubmission
from partnerships.conversations.reporting import working_days_after
from partnerships.conversations.rights import report_rights
from partnerships.conversations.services.reports.recording import lock_report, record_report
from partnerships.kit.rights import require
from partnerships.organisations.nations import holidays_of
from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: A returned report is due again after this many working days.
AGAIN_DAYS = 5


class UnableToDecideReport(Exception):
    """Raised if the report is not submitted or was submitted again, or the reason is missing."""


def accept_report(*, report: Report, number: int, author: User, now: dt.datetime) -> None:
    """Accept the submitted version of a report. Raises `UnableToDecideReport`."""
    _decide(report, number, Decision.ACCEPTED, reason="", author=author, now=now)


def return_report(*, report: Report, number: int, reason: str, author: User, now: dt.datetime) -> None:
    """Return the submitted version with a reason. Raises `UnableToDecideReport`.

    The report is due again after `AGAIN_DAYS`, but not before its present due day.
    """
    _decide(report, number, Decision.RETURNED, reason=reason.strip(), author=author, now=now)


@transaction.atomic
def _decide(report: Report, number: int, decision: Decision, *, reason: str, author: User, now: dt.datetime) -> None:
    """Accept or return a submission, and email the organisation that wrote it.

    `number` is the number of the version that the author read.
    """
    report = lock_report(report)
    deciding_ids = report_rights(report, author, now).decides_for
    require(
        bool(deciding_ids),
        "Only leads of another organisation that leads the partnership can accept or return a report.",
    )
    submission = _submission_to_decide(report, number)
    if decision == Decision.RETURNED and not reason:
        raise UnableToDecideReport("Enter what is missing.")

    # A person may lead several organisations that may decide. One of them is recorded.
    organisation_id = min(deciding_ids)
    submission.decision = decision
    submission.reason = reason
    submission.decided_at = now
    submission.decided_by = author
    submission.decided_for_id = organisation_id
    submission.save(update_fields=["decision", "reason", "decided_at", "decided_by", "decided_for"])
    if decision == Decision.RETURNED:
        event = EventKind.REPORT_RETURNED
        _return_to_writers(report, timezone.localdate(now))
    else:
        event = EventKind.REPORT_ACCEPTED
        report.status = ReportStatus.ACCEPTED
    report.save(update_fields=["status", "due_on", "reminded_at", "chased_at", "escalated_at"])

    event_data = {"reason": reason} if reason else {}
    record_report(report, event, author=author, organisation_id=organisation_id, now=now, **event_data)
    _email_writers(submission, author=author, now=now)


def _submission_to_decide(report: Report, number: int) -> ReportSubmission:
    """Return the last submission, if it waits for a decision and has this number. Raises `UnableToDecideReport`."""
    submission = report.submissions.order_by("-number").first()
    if submission is None or not report.is_submitted:
        raise UnableToDecideReport(
            "This report is not waiting for a decision. It has been accepted or returned, or not yet submitted."
        )
    if submission.number != number:
        raise UnableToDecideReport(
            "The report has been submitted again since you opened it. Read the new version before you decide."
        )
    return submission


def _email_writers(submission: ReportSubmission, *, author: User, now: dt.datetime) -> None:
    """Email the decision to the leads of the organisation, and to the person who submitted the report."""
    report = submission.report
    recipient_ids = {*leads_of(report.party.organisation).values_list("pk", flat=True), submission.submitted_by_id}
    record_emails(
        kind="conversations.report_decided",
        people=sorted(pk for pk in recipient_ids if pk not in (None, author.pk)),
        params={"report": report.pk, "number": submission.number},
        sender_id=submission.decided_for_id,
        now=now,
    )


def _return_to_writers(report: Report, today: dt.date) -> None:
    """Set a report as returned, with a new due day and new reminders. The caller saves it."""
    report.status = ReportStatus.RETURNED
    holidays = holidays_of(report.party.organisation)
    report.due_on = max(report.due_on, working_days_after(today, AGAIN_DAYS, holidays))
    report.reminded_at = None
    report.chased_at = None
    report.escalated_at = None
