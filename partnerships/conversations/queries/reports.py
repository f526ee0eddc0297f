"""Queries for progress reports, for the people who must act on them, and for the table of a partnership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from partnerships.agreements.models import LEADING_ROLES, Party, PostRole
from partnerships.agreements.queries.parties import earlier_organisations_at
from partnerships.agreements.queries.posts import people_in_post
from partnerships.conversations.models import (
    DECIDERS,
    OWN_DECIDERS,
    UNSUBMITTED_STATUSES,
    WRITERS,
    Report,
    ReportQuerySet,
    ReportStatus,
    ReportSubmission,
)
from partnerships.conversations.reporting import period_in_words
from partnerships.kit.addresses import page_address
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import Reach
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import show_names_of_day
from partnerships.organisations.queries import leads_with_account
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User


def leads_who_decide(report: Report) -> QuerySet[User]:
    """Return the leads with an account who can accept or return a report.

    They are leads of the other leading organisations, or if there are none, of the report's own organisation.
    """
    leading_parties = report.round.partnership.parties.accepted().filter(role__in=LEADING_ROLES)
    leading_ids = set(leading_parties.values_list("organisation_id", flat=True))
    other_leading_ids = leading_ids - {report.party.organisation_id}
    return leads_with_account(sorted(other_leading_ids or leading_ids))


def people_to_chase(report: Report, stage: str, today: dt.date) -> list[User]:
    """Return the people who get the reminder of a stage (`before`, `late` or `escalated`) about a report to submit.

    The party's leads get the reminder. The holders of its escalation post get the reminder `escalated` instead, unless
    the post is vacant.
    """
    organisation = report.party.organisation_id
    if stage == "escalated":
        partnership = report.round.partnership_id
        holders = people_in_post(organisation, PostRole.ESCALATION, day=today, partnership=partnership)
        if holders:
            return holders
    return list(leads_with_account([organisation]))


def _reports(now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    """Return the reports to write, the reports to accept or return, and an organisation's own reports to decide on.

    Leads decide on their own organisation's report only if no other organisation leads.
    """
    other_parties = (
        Party.objects.accepted()
        .filter(partnership=OuterRef("round__partnership"), role__in=LEADING_ROLES)
        .exclude(pk=OuterRef("party"))
    )
    submitted = Report.objects.filter(status=ReportStatus.SUBMITTED)
    return (
        Reach(Report.objects.filter(status__in=UNSUBMITTED_STATUSES), WRITERS),
        Reach(submitted, DECIDERS),
        Reach(submitted.filter(~Exists(other_parties)), OWN_DECIDERS),
    )


def _reports_to_write(user: User, now: dt.datetime) -> ReportQuerySet:
    """Return the reports that the person's organisations must write or correct, the earliest due first."""
    to_write, _, _ = _reports(now)
    return Report.objects.filter(pk__in=to_write.of(user).values("pk")).for_listing().order_by("due_on", "pk")


def _reports_to_decide(user: User, now: dt.datetime) -> ReportQuerySet:
    """Return the reports that the person can accept or return."""
    _, to_decide, own_to_decide = _reports(now)
    ids = to_decide.of(user).values("pk").union(own_to_decide.of(user).values("pk"))
    return Report.objects.filter(pk__in=ids).for_listing().order_by("pk")


def _report_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return a task for each report to write, by due date, and then for each report to accept or return."""
    reports_to_write = rows_for(_reports_to_write, user, now)
    reports_to_decide = rows_for(_reports_to_decide, user, now)
    tasks = [_report_task(report, _writing_task(report), due=report.due_on) for report in reports_to_write]
    tasks += [_report_task(report, "Accept or return a progress report") for report in reports_to_decide]
    return tasks


def _report_task(report: Report, what: str, *, due: dt.date | None = None) -> WaitingTask:
    """Return a task about a report."""
    return WaitingTask(
        action=what,
        title=f"{report.party.organisation.display_name}, {report.period_words}",
        path=page_address("conversations:report", report.pk),
        since=report.opened_at,
        due=due,
        partnership_title=report.round.partnership.title,
        status=report.status,
        status_label=report.get_status_display(),
    )


def _writing_task(report: Report) -> str:
    """Return what the report's organisation has to do with a report that is not submitted."""
    return "Correct a progress report" if report.is_returned else "Write a progress report"


#: The sources from which My work takes reports to write, and reports to accept or return.
REPORTS_WAITING = (
    TaskSource(
        _report_tasks,
        _reports,
        lookups=lambda user, now: (lookup(_reports_to_write, user, now), lookup(_reports_to_decide, user, now)),
    ),
)


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """The reports of one period, with their parties in the order of the table.

    The report is None if a party has no report for the period.
    """

    start: dt.date
    end: dt.date
    round_id: int
    reports: Sequence[tuple[Organisation, Report | None]]

    @property
    def words(self) -> str:
        """Return the period as text, such as `April to June 2026`."""
        return period_in_words(self.start, self.end)


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table of a partnership's reports: a row for each period, newest first, and a column for each organisation."""

    organisations: Sequence[Organisation]
    rows: Sequence[PeriodRow]


def report_table(user: User, partnership_id: int) -> ReportTable:
    """Return the table of all reports of a partnership that the person may know of.

    Each report has the attribute `late`, the number of days by which it is late.
    """
    visible = Report.objects.visible_to(user).filter(round__partnership=partnership_id)
    today = timezone.localdate()
    reports = list(visible.for_listing().order_by("-starts_on", "party__organisation__name", "pk"))
    organisation_by_party = {report.party_id: report.party.organisation for report in reports}
    party_ids = sorted(organisation_by_party, key=lambda party_id: (organisation_by_party[party_id].name, party_id))

    reports_by_period: dict[tuple[dt.date, dt.date, int], dict[int, Report]] = {}
    for report in reports:
        report.late = report.days_late(today)  # type: ignore[attr-defined]  # for the template
        reports_by_period.setdefault((report.starts_on, report.ends_on, report.round_id), {})[report.party_id] = report

    rows = []
    for (start, end, round_id), report_by_party in reports_by_period.items():
        cells = [(organisation_by_party[party_id], report_by_party.get(party_id)) for party_id in party_ids]
        rows.append(PeriodRow(start=start, end=end, round_id=round_id, reports=cells))
    return ReportTable(organisations=[organisation_by_party[party_id] for party_id in party_ids], rows=rows)


def newest_submissions(user: User, *, round_id: int, start: dt.date) -> list[ReportSubmission]:
    """Return the newest submission of each party for one period, ordered by the party's name."""
    reports = Report.objects.visible_to(user).filter(round=round_id, starts_on=start)
    newest = ReportSubmission.objects.filter(report__in=reports).order_by("report", "-number").distinct("report")
    # A second query, because `distinct` requires the rows to be sorted by report.
    submissions = ReportSubmission.objects.filter(pk__in=newest.values("pk")).select_related(
        "report__round__partnership", "report__party__organisation", "submitted_by"
    )
    return list(submissions.order_by("report__party__organisation__name", "pk"))


def name_submissions_as_at(submissions: Sequence[ReportSubmission]) -> None:
    """Name the organisation of each submission as on the day of submission.

    All submissions must be of one period. Use this only for pages that show the names, because such organisations must
    not be saved.
    """
    if not submissions:
        return
    partnership = submissions[0].report.party.partnership_id
    first_submitted_at = min(submission.submitted_at for submission in submissions)
    # Usually no party has passed to a successor since the first submission, and then one query is enough.
    if earlier_organisations_at(partnership, first_submitted_at):
        for submission in submissions:
            party = submission.report.party
            earlier_holder_by_organisation = earlier_organisations_at(partnership, submission.submitted_at)
            party.organisation = earlier_holder_by_organisation.get(party.organisation_id, party.organisation)
    show_names_of_day(
        (timezone.localdate(submission.submitted_at), submission.report.party.organisation)
        for submission in submissions
    )
