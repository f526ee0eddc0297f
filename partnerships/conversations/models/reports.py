"""Progress reports: rounds of a partnership, a report for each party and period, and submitted versions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.models import LEADING_ROLES, Partnership, Party, PartyRole, PartyStatus
from partnerships.conversations.reporting import period_in_words
from partnerships.kit.addresses import page_address
from partnerships.organisations.audience import Organisations, Route, visible_to
from partnerships.organisations.models import EDITING_ROLES, Organisation, Role
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

_PARTIES = "round__partnership__parties"
#: People of the report's own party, even after the party has left.
OWN_PARTY: tuple[Route, ...] = (Organisations("party__organisation"),)
#: Who may read a report (docs/rights.md): people of its own party, and people of present parties.
READERS: tuple[Route, ...] = (
    *OWN_PARTY,
    Organisations(f"{_PARTIES}__organisation", when=Q(**{f"{_PARTIES}__status": PartyStatus.ACCEPTED})),
)
#: The condition that a report can be written. Its party takes part, and is not an observer.
IS_WRITABLE = Q(party__status=PartyStatus.ACCEPTED) & ~Q(party__role=PartyRole.OBSERVER)
#: Who may write a report: editors and leads of its own party.
WRITERS = (Organisations("party__organisation", when=IS_WRITABLE, roles=EDITING_ROLES),)
_IS_LEADING_PARTY = Q(**{f"{_PARTIES}__status": PartyStatus.ACCEPTED, f"{_PARTIES}__role__in": LEADING_ROLES})
#: The condition that a party is not the report's own party. `~Q(parties=F("party"))` would be wrong, because it means
#: that none of the partnership's parties is the report's own.
_IS_OTHER_PARTY = Q(**{f"{_PARTIES}__lt": F("party")}) | Q(**{f"{_PARTIES}__gt": F("party")})
#: Who may accept or return a report: leads of another leading organisation.
DECIDERS = (Organisations(f"{_PARTIES}__organisation", when=_IS_LEADING_PARTY & _IS_OTHER_PARTY, roles=(Role.LEAD,)),)
#: Who may accept or return a report if no other organisation leads: leads of the only leading organisation.
OWN_DECIDERS = (
    Organisations(
        "party__organisation",
        when=Q(party__status=PartyStatus.ACCEPTED, party__role__in=LEADING_ROLES),
        roles=(Role.LEAD,),
    ),
)


class Period(models.TextChoices):
    """How often parties report."""

    MONTH = "month", "Every month"
    QUARTER = "quarter", "Every quarter"
    HALF_YEAR = "half_year", "Every half-year"
    YEAR = "year", "Every year"


class ReportStatus(models.TextChoices):
    """The status of a report (see `Report`)."""

    DRAFT = "draft", "Not submitted"
    SUBMITTED = "submitted", "Submitted"
    RETURNED = "returned", "Returned"
    ACCEPTED = "accepted", "Accepted"
    WAIVED = "waived", "Not needed"


#: Statuses in which the party still has to submit the report.
UNSUBMITTED_STATUSES = (ReportStatus.DRAFT, ReportStatus.RETURNED)


def report_overdue_on(day: dt.date) -> Q:
    """Return the condition that a report was due before a day and that its party still has to submit it."""
    return IS_WRITABLE & Q(status__in=UNSUBMITTED_STATUSES, due_on__lt=day)


@pghistory.track()
class ReportingRound(models.Model):
    """How often, since when and on which questions the parties of a partnership report.

    At most one round of a partnership is open. It ends when another begins or when reporting ends. The first period
    starts on `starts_on`, and `ends_on` is the first day on which the parties no longer report.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="reporting_rounds")
    period = models.CharField(max_length=9, choices=Period)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    due_days = models.PositiveSmallIntegerField(help_text="Working days after the end of the period.")
    questions = models.JSONField(default=list)
    opened_until = models.DateField(
        null=True, blank=True, help_text="The end of the last period whose reports were opened."
    )
    set_up_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    set_up_at = models.DateTimeField()
    end_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partnership"], condition=Q(ends_on=None), name="unique_open_reporting_round"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="reporting_round_does_not_end_before_start",
            ),
        ]

    def __str__(self) -> str:
        return f"Reporting round {self.pk}"


@pghistory.track()
class ReportingExemption(models.Model):
    """A party that does not report in a round. All other parties report, even if they join later."""

    round = models.ForeignKey(ReportingRound, on_delete=models.CASCADE, related_name="exemptions")
    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "party"], name="unique_exemption_per_party")]

    def __str__(self) -> str:
        return f"Party {self.party_id} does not report"


class ReportQuerySet(models.QuerySet["Report"]):
    """Filters for reports by reader, by writer and by status."""

    def visible_to(self, user: User | AnonymousUser) -> ReportQuerySet:
        """Return the reports that the person may know of. Only people of the report's own party may read its draft."""
        return self.filter(visible_to(Report, READERS, user))

    def written_by(self, user: User | AnonymousUser) -> ReportQuerySet:
        """Return the reports that the person may write today, if their status allows it."""
        return self.filter(visible_to(Report, WRITERS, user))

    def to_write(self) -> ReportQuerySet:
        """Return the reports that their party still has to submit."""
        return self.filter(IS_WRITABLE, status__in=UNSUBMITTED_STATUSES)

    def overdue(self, today: dt.date) -> ReportQuerySet:
        """Return the reports that their party still has to submit and whose due day has passed."""
        return self.filter(report_overdue_on(today))

    def for_listing(self) -> ReportQuerySet:
        """Fetch party, organisation and partnership."""
        return self.select_related("round__partnership", "party__organisation")


@pghistory.track(exclude=["answers", "touches"])
class Report(models.Model):
    """The report of a party for a period, with the answers of its draft.

    The status goes draft → submitted → accepted, or returned → submitted again. A report is waived if its party leaves
    before submitting it. Each submitted version is a `ReportSubmission`, which never changes.
    """

    round = models.ForeignKey(ReportingRound, on_delete=models.CASCADE, related_name="reports")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="reports")

    # The period. `ends_on` is the first day after the period.
    starts_on = models.DateField()
    ends_on = models.DateField()
    due_on = models.DateField()

    status = models.CharField(max_length=9, choices=ReportStatus, default=ReportStatus.DRAFT)

    # The draft.
    questions = models.JSONField(default=list)
    answers = models.JSONField(default=dict)
    #: Who saved which answer at which `revision` (documents.revisions).
    touches = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)

    # When the party could begin to write, and when we emailed about a report that was due soon or late.
    opened_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    chased_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = "progress report"
        verbose_name_plural = "progress reports"
        constraints = [
            models.UniqueConstraint(fields=["party", "starts_on"], name="unique_report_per_period"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="report_period_ends_after_start"),
            models.CheckConstraint(condition=Q(due_on__gte=F("ends_on")), name="report_not_due_before_end"),
        ]
        indexes = [
            models.Index(fields=["due_on"], name="report_due", condition=Q(status__in=["draft", "returned"])),
            models.Index(fields=["round", "-starts_on", "party"], name="report_listing"),
        ]

    def __str__(self) -> str:
        # Administrators see this text, and reports are private to the partners, so it names neither period nor party.
        return f"Report {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the report's page."""
        return page_address("conversations:report", self.pk)

    @property
    def period_words(self) -> str:
        """Return the period as text, such as `April to June 2026`."""
        return period_in_words(self.starts_on, self.ends_on)

    @property
    def is_to_write(self) -> bool:
        """Return whether the party still has to submit the report."""
        return self.status in UNSUBMITTED_STATUSES

    @property
    def is_submitted(self) -> bool:
        """Return whether the report was submitted and nobody has decided on it."""
        return self.status == ReportStatus.SUBMITTED

    @property
    def is_returned(self) -> bool:
        """Return whether the report was returned and not submitted again."""
        return self.status == ReportStatus.RETURNED

    @property
    def is_waived(self) -> bool:
        """Return whether the report is no longer needed."""
        return self.status == ReportStatus.WAIVED

    def days_late(self, today: dt.date) -> int:
        """Return the days since the due day of a report that is not submitted, and 0 for other reports."""
        return max(0, (today - self.due_on).days) if self.is_to_write else 0


class Decision(models.TextChoices):
    """The decisions that a lead can make about a submission."""

    ACCEPTED = "accepted", "Accepted"
    RETURNED = "returned", "Returned"


@pghistory.track(exclude=["answers", "figures"])
class ReportSubmission(models.Model):
    """A version of a report that a party submitted, with the figures of that day, and the decision about it.

    Triggers refuse to change what was submitted, and to change a decision once it is made.
    """

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="submissions")
    number = models.PositiveSmallIntegerField()

    # What the party submitted.
    questions = models.JSONField()
    answers = models.JSONField()
    figures = models.JSONField()
    due_on = models.DateField()
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    # What the lead decided.
    decision = models.CharField(max_length=8, choices=Decision, blank=True)
    reason = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="unique_submission_number_per_report"),
            models.CheckConstraint(
                condition=Q(decision="", decided_at=None) | (~Q(decision="") & Q(decided_at__isnull=False)),
                name="decided_submission_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(decision=Decision.RETURNED) | ~Q(reason=""), name="returned_submission_has_reason"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="submission_stays",
                operation=pgtrigger.UpdateOf(
                    "report_id", "number", "questions", "answers", "figures", "due_on", "submitted_at"
                )
                | pgtrigger.Delete,
            ),
            pgtrigger.Protect(
                name="decision_stays",
                operation=pgtrigger.UpdateOf("decision", "reason", "decided_at", "decided_for_id"),
                condition=pgtrigger.Q(old__decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Submission {self.number} of report {self.report_id}"

    @property
    def days_late(self) -> int:
        """Return the days from the due day to the day of submission in London; 0 if the report was in time."""
        return max(0, (timezone.localdate(self.submitted_at) - self.due_on).days)

    @property
    def is_decided(self) -> bool:
        """Return whether the submission was accepted or returned."""
        return self.decided_at is not None

    @property
    def was_returned(self) -> bool:
        """Return whether the submission was returned."""
        return self.decision == Decision.RETURNED

    @property
    def questions_with_answers(self) -> list[tuple[dict[str, Any], str]]:
        """Return each question with its answer, which is "" if the party did not answer it."""
        return [(question, self.answers.get(question["code"], "")) for question in self.questions]
