"""Services that accept or return a submitted progress report."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Decision, Report, ReportStatus
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
    locked = lock_report(report)
    deciding_ids = report_rights(locked, author, now).decides_for
    require(
        bool(deciding_ids),
        "Only leads of another organisation that leads the partnership can accept or return a report.",
    )
    submission = locked.submissions.order_by("-number").first()
    if submission is None or not locked.is_submitted:
        raise UnableToDecideReport("This report has already been accepted or returned, or has not been submitted.")
    if submission.number != number:
        raise UnableToDecideReport(
            "The report has been submitted again since you opened it. Read the new version before you decide."
        )
    if decision == Decision.RETURNED and not reason:
        raise UnableToDecideReport("Say what is missing.")
    submission.decision, submission.reason = decision, reason
    submission.decided_at, submission.decided_by, submission.decided_for_id = now, author, min(deciding_ids)
    submission.save(update_fields=["decision", "reason", "decided_at", "decided_by", "decided_for"])
    locked.status = ReportStatus.ACCEPTED
    if decision == Decision.RETURNED:
        locked.status = ReportStatus.RETURNED
        holidays = holidays_of(locked.party.organisation)
        locked.due_on = max(locked.due_on, working_days_after(timezone.localdate(now), AGAIN_DAYS, holidays))
        locked.reminded_at = locked.chased_at = locked.escalated_at = None
    locked.save(update_fields=["status", "due_on", "reminded_at", "chased_at", "escalated_at"])
    event = EventKind.REPORT_RETURNED if decision == Decision.RETURNED else EventKind.REPORT_ACCEPTED
    event_data = {"reason": reason} if reason else {}
    record_report(locked, event, author=author, organisation_id=min(deciding_ids), now=now, **event_data)
    recipient_ids = {*leads_of(locked.party.organisation).values_list("pk", flat=True), submission.submitted_by_id}
    record_emails(
        kind="conversations.report_decided",
        people=sorted(pk for pk in recipient_ids if pk not in (None, author.pk)),
        params={"report": locked.pk, "number": number},
        sender_id=min(deciding_ids),
        now=now,
    )
