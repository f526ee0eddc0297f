"""Frozen reports, which never change, and reports that are sent on a rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import FORMER_STATUSES, Partnership, PartyStatus
from partnerships.kit.addresses import page_address
from partnerships.kit.leased_jobs import LeasedJob
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.reports.snapshot import Snapshot, from_json

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Formats of files by the ending of their names.
FORMATS = {"pdf": "PDF", "docx": "Word", "xlsx": "Excel"}
#: People of the organisation or of present parties (docs/rights.md).
_PRESENT = (
    Organisations("organisation"),
    Organisations("partnership__parties__organisation", when=Q(partnership__parties__status=PartyStatus.ACCEPTED)),
)
#: The readers that a frozen report was computed for. A party that joined later may read less than it counts.
_AUDIENCE = (
    Organisations("organisation"),
    Organisations(
        "partnership__parties__organisation",
        when=Q(
            partnership__parties__status=PartyStatus.ACCEPTED,
            frozen_at__gte=F("partnership__parties__answered_at"),
        ),
    ),
)
#: People of former parties, who keep what was frozen up to the day they left.
_FORMER = (
    Organisations(
        "partnership__parties__organisation",
        when=Q(partnership__parties__status__in=FORMER_STATUSES, frozen_at__lte=F("partnership__parties__left_at")),
    ),
)
#: Everybody who may read a frozen report.
READERS = (*_AUDIENCE, *_FORMER)


class Audience(models.Model):
    """Who a report is made for.

    They are the people of one organisation, or of the parties of one partnership.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True

    @property
    def body(self) -> Organisation | Partnership:
        """The organisation or partnership. Needs the one that is set fetched."""
        organisation_or_partnership = self.organisation or self.partnership
        assert organisation_or_partnership is not None  # a constraint: one of the two is set
        return organisation_or_partnership


def _one_audience(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(organisation=None, partnership__isnull=False) | Q(organisation__isnull=False, partnership=None),
        name=name,
    )


class FrozenReportQuerySet(models.QuerySet["FrozenReport"]):
    """Frozen reports by reader."""

    def visible_to(self, user: User | AnonymousUser) -> FrozenReportQuerySet:
        """Reports for an organisation or partnership of theirs; of a partnership, only those of their party's time."""
        return self.filter(visible_to(FrozenReport, READERS, user))

    def present_for(self, user: User | AnonymousUser) -> FrozenReportQuerySet:
        """Reports whose audience they belonged to then, and belong to today."""
        return self.filter(visible_to(FrozenReport, _AUDIENCE, user))


class FrozenReport(Audience):
    """A report as it was at a moment: figures, name and reason, which nobody can change.

    Its snapshot counts what every person of its audience could read then. `question` are the filters, as in an address.
    """

    report = models.CharField(max_length=60, help_text="The name of the report in web addresses.")
    name = models.CharField(max_length=200)
    reason = models.TextField()
    question = models.TextField(blank=True)
    content = models.JSONField(help_text="The figures of the report, as a snapshot.")
    frozen_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    frozen_at = models.DateTimeField()

    objects = FrozenReportQuerySet.as_manager()

    class Meta:
        constraints = [_one_audience("frozen_report_has_one_audience")]
        indexes = [
            models.Index(fields=["organisation", "-frozen_at"], name="frozen_report_organisation"),
            models.Index(fields=["partnership", "-frozen_at"], name="frozen_report_partnership"),
        ]
        triggers = [
            # The organisation may change: to a successor, or where two records of one body become one.
            pgtrigger.Protect(
                name="immutable",
                operation=pgtrigger.UpdateOf(
                    "report", "name", "reason", "question", "content", "frozen_by_id", "frozen_at", "partnership_id"
                )
                | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return page_address("reports:frozen", self.pk)

    @property
    def snapshot(self) -> Snapshot:
        """Its figures."""
        return from_json(self.content)


class Every(models.TextChoices):
    """How often a report is sent."""

    WEEK = "week", "Every week"
    MONTH = "month", "Every month"
    QUARTER = "quarter", "Every three months"


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    """Schedules by reader."""

    def visible_to(self, user: User | AnonymousUser) -> ScheduleQuerySet:
        """Schedules of their organisations and partnerships."""
        return self.filter(visible_to(Schedule, _PRESENT, user))


@pghistory.track()
class Schedule(Audience):
    """A report that is frozen and sent on a rhythm.

    `next_on` is the day on which it is due.

    running → ended (`ended_at`). Each time a `FrozenReport` is kept, and each recipient gets an email with its figures.
    One that cannot be made is tried again a few times (`failures`), then on its next day.
    """

    report = models.CharField(max_length=60)
    name = models.CharField(max_length=150)
    question = models.TextField(blank=True)
    every = models.CharField(max_length=7, choices=Every)
    next_on = models.DateField()
    first_on = models.DateField(help_text="The day of the month on which it is sent.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(
        default=0, help_text="How many times making it has failed since it was due."
    )

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints = [_one_audience("schedule_has_one_audience")]
        indexes = [models.Index(fields=["next_on"], condition=Q(ended_at=None), name="schedule_due")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return page_address("reports:schedule", self.pk)


@pghistory.track()
class Recipient(models.Model):
    """A person who gets a scheduled report, while they belong to its audience."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="recipients")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "person"], name="one_recipient_a_schedule")]

    def __str__(self) -> str:
        return f"{self.person_id} gets {self.schedule_id}"


class ReportFile(LeasedJob):
    """A file of a long report that a worker makes, or has made.

    `question` are the filters, as in the report's address. `figures` is the snapshot that the file shows, and `holds` a
    digest of what the person's rights came from when it was made. `error` is why there is no file.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="report_files")
    report = models.CharField(max_length=60)
    form = models.CharField(max_length=4, help_text="The format: pdf, docx or xlsx.")
    question = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    holds = models.CharField(max_length=64, blank=True)
    figures = models.JSONField(null=True, editable=False)
    content = models.BinaryField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], name="report_file_waiting", condition=Q(made_at=None, error="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(content__isnull=False, figures__isnull=False),
                name="report_file_made_is_there",
            )
        ]

    def __str__(self) -> str:
        return f"{self.report}.{self.form} of {self.person_id}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return page_address("reports:made-file", self.pk)

    @property
    def format(self) -> str:
        """Its format in words."""
        return FORMATS.get(self.form, self.form)

    @property
    def is_made(self) -> bool:
        """Whether it can be downloaded."""
        return self.made_at is not None

    @property
    def is_at_work(self) -> bool:
        """Whether a worker makes it, or will."""
        return not self.is_made and not self.error
