"""Services that write and submit a progress report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.departures import Consequence, PartyDeparture
from partnerships.agreements.figures import ReportPeriod, figures_of
from partnerships.agreements.models import Party
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import UNSUBMITTED_STATUSES, Report, ReportStatus, ReportSubmission
from partnerships.conversations.queries.reports import leads_who_decide
from partnerships.conversations.rights import report_rights
from partnerships.conversations.services.reports.recording import lock_report, record_report
from partnerships.documents import PieceConflict, check_conflict, record_of_save
from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

_WRITERS = "Only editors and leads of the organisation that reports can write or submit the report."


class UnableToSaveReport(Exception):
    """Raised if the report is submitted already, or a colleague changed the same answers.

    `conflicts` has both answers for each question, by the question's code.
    """

    def __init__(self, message: str, conflicts: Mapping[str, PieceConflict] | None = None) -> None:
        self.conflicts = dict(conflicts or {})
        super().__init__(message)


class UnableToSubmitReport(Exception):
    """Raised if the report is submitted already, is empty, or has changed since the author read it."""


def _locked_for_writing(report: Report, author: User, now: dt.datetime) -> Report:
    """Lock a report that the author may write, and return it as stored."""
    report = lock_report(report)
    require(report_rights(report, author, now).may_write, _WRITERS)
    return report


def _why_not_write(report: Report) -> str:
    """Return why the report cannot be written or submitted; "" if it can, even if the partnership has ended."""
    if report.is_to_write:
        return ""
    return f"This report is {report.get_status_display().lower()}, so you can no longer change it."


@transaction.atomic
def save_report(*, report: Report, answers: Mapping[str, str], revision: int, author: User, now: dt.datetime) -> Report:
    """Save the answers that the author changed. Raises `UnableToSaveReport`.

    `revision` is the revision of the report that the author edited. Answers to other questions that colleagues
    have saved since do not change.
    """
    report = _locked_for_writing(report, author, now)
    if reason := _why_not_write(report):
        raise UnableToSaveReport(reason)

    codes = {question["code"] for question in report.questions}
    changed_answers = {
        code: text.strip()
        for code, text in answers.items()
        if code in codes and text.strip() != report.answers.get(code, "")
    }
    if not changed_answers:
        return report
    _check_conflicts(report, changed_answers, revision)

    report.revision += 1
    report.answers |= changed_answers
    report.touches |= {code: record_of_save(report.revision, author.pk, now) for code in changed_answers}
    report.save(update_fields=["answers", "touches", "revision"])
    return report


def _check_conflicts(report: Report, changed_answers: Mapping[str, str], revision: int) -> None:
    """Raise `UnableToSaveReport` if a colleague changed some of these answers after this revision."""
    conflicts: dict[str, PieceConflict] = {}
    for code, text in changed_answers.items():
        try:
            check_conflict(report.touches, code, revision, new_value=text, current_value=report.answers.get(code, ""))
        except PieceConflict as conflict:
            conflicts[code] = conflict
    if conflicts:
        raise UnableToSaveReport(
            "A colleague changed the same answers while you were writing. Combine both texts, then save again.",
            conflicts,
        )


@transaction.atomic
def submit_report(*, report: Report, revision: int, author: User, now: dt.datetime) -> ReportSubmission:
    """Submit the report as its next version, with the figures of today. Raises `UnableToSubmitReport`.

    The leads who can accept or return the report get an email.
    """
    report = _locked_for_writing(report, author, now)
    if reason := _why_not_write(report):
        raise UnableToSubmitReport(reason)
    if revision != report.revision:
        raise UnableToSubmitReport(
            "A colleague has changed the report since you opened it. Read it again before you submit."
        )
    if not any(report.answers.values()):
        raise UnableToSubmitReport("Answer at least one question.")

    submission = ReportSubmission.objects.create(
        report=report,
        number=report.submissions.count() + 1,
        questions=report.questions,
        answers=report.answers,
        figures=figures_of(ReportPeriod(report.party, report.starts_on, report.ends_on, timezone.localdate(now))),
        due_on=report.due_on,
        submitted_at=now,
        submitted_by=author,
    )
    report.status = ReportStatus.SUBMITTED
    report.save(update_fields=["status"])

    organisation_id = report.party.organisation_id
    record_report(
        report,
        EventKind.REPORT_SUBMITTED,
        author=author,
        organisation_id=organisation_id,
        now=now,
        after={"version": submission.number},
    )
    record_emails(
        kind="conversations.report_submitted",
        people=leads_who_decide(report).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"report": report.pk, "number": submission.number},
        sender_id=organisation_id,
        now=now,
    )
    return submission


def waive_with_party(departure: PartyDeparture) -> None:
    """Waive the reports that a leaving party has not submitted. Call this with the partnership locked."""
    party = departure.party
    for report in Report.objects.for_listing().filter(party=party, status__in=UNSUBMITTED_STATUSES).order_by("pk"):
        report.status = ReportStatus.WAIVED
        report.save(update_fields=["status"])
        record_report(
            report,
            EventKind.REPORT_WAIVED,
            author=departure.author,
            organisation_id=None,
            now=departure.now,
            reason="The organisation left the partnership.",
        )


def preview_waiving(party: Party, reader: User) -> list[Consequence]:
    """Return the reports that will no longer be needed if the party leaves."""
    reports = (
        Report.objects.visible_to(reader)
        .filter(party=party, status__in=UNSUBMITTED_STATUSES)
        .order_by("starts_on", "pk")
    )
    return [
        Consequence(f"The progress report for {report.period_words} will not be needed", report.get_absolute_url())
        for report in reports
    ]
