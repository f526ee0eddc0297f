"""Frozen reports, which never change, scheduled reports, and files of long reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import FORMER_STATUSES, PEOPLE_OF_PRESENT_PARTIES, Partnership, PartyStatus
from partnerships.kit.addresses import page_address
from partnerships.kit.leased_jobs import LeasedJob
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.reports.frequencies import Frequency
from partnerships.reports.snapshot import Snapshot, from_json

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: The names of file formats, by file extension.
FORMATS = {"pdf": "PDF", "docx": "Word", "xlsx": "Excel"}
#: The people of the organisation, or of the partnership's present parties (docs/rights.md).
_PRESENT_READERS = (
    Organisations("organisation"),
    PEOPLE_OF_PRESENT_PARTIES,
)
#: The people for whom a frozen report was computed. The people of a party that joined later are not among them, because
#: they may not be allowed to read everything that the report counts.
_CURRENT_AUDIENCE = (
    Organisations("organisation"),
    Organisations(
        "partnership__parties__organisation",
        when=Q(
            partnership__parties__status=PartyStatus.ACCEPTED,
            frozen_at__gte=F("partnership__parties__answered_at"),
        ),
    ),
)
#: The people of former parties, who may still read the reports that were frozen before the party left.
_FORMER_READERS = (
    Organisations(
        "partnership__parties__organisation",
        when=Q(partnership__parties__status__in=FORMER_STATUSES, frozen_at__lte=F("partnership__parties__left_at")),
    ),
)
#: Everybody who may read a frozen report.
READERS = (*_CURRENT_AUDIENCE, *_FORMER_READERS)


class Audience(models.Model):
    """The audience of a report: the people of one organisation, or of the parties of one partnership."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True

    @property
    def audience(self) -> Organisation | Partnership:
        """Return the organisation or partnership. Fetch it with `select_related`."""
        organisation_or_partnership = self.organisation or self.partnership
        assert organisation_or_partnership is not None  # by a constraint of the database, one of the two is set
        return organisation_or_partnership


def _one_audience(name: str) -> models.CheckConstraint:
    """Return the constraint that the audience is either an organisation or a partnership."""
    return models.CheckConstraint(
        condition=Q(organisation=None, partnership__isnull=False) | Q(organisation__isnull=False, partnership=None),
        name=name,
    )


class FrozenReportQuerySet(models.QuerySet["FrozenReport"]):
    """Filters for frozen reports by reader."""

    def visible_to(self, user: User | AnonymousUser) -> FrozenReportQuerySet:
        """Return the frozen reports that the person may read.

        People of a party that has left its partnership may still read the reports frozen before it left.
        """
        return self.filter(visible_to(FrozenReport, READERS, user))

    def visible_to_current_audience(self, user: User | AnonymousUser) -> FrozenReportQuerySet:
        """Return the frozen reports whose audience includes the person, both now and when they were frozen."""
        return self.filter(visible_to(FrozenReport, _CURRENT_AUDIENCE, user))


class FrozenReport(Audience):
    """A report as it was at a moment. A trigger refuses to change or delete it.

    Its figures count only what every person of its audience could read at that moment.
    """

    report = models.CharField(max_length=60, help_text="The name of the report in web addresses.")
    name = models.CharField(max_length=200)
    reason = models.TextField()
    #: The filters, as the query string of the report's page.
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
            # The organisation may change: to its successor, or when two records of the same body are merged.
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
        """Return the URL of the record's page."""
        return page_address("reports:frozen", self.pk)

    @property
    def snapshot(self) -> Snapshot:
        """Return the figures of the report."""
        return from_json(self.content)


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    """Filters for schedules by reader."""

    def visible_to(self, user: User | AnonymousUser) -> ScheduleQuerySet:
        """Return the schedules of the person's organisations and partnerships."""
        return self.filter(visible_to(Schedule, _PRESENT_READERS, user))


@pghistory.track()
class Schedule(Audience):
    """A report that is frozen and emailed at regular intervals. States: running → ended (`ended_at`).

    On the day `next_on`, the report is frozen, and its recipients get an email with its figures. A report that fails is
    retried a few times (`failures`), and then on its next day.
    """

    report = models.CharField(max_length=60)
    name = models.CharField(max_length=150)
    #: The filters, as the query string of the report's page.
    question = models.TextField(blank=True)

    # When the report is due.
    every = models.CharField(max_length=7, choices=Frequency)
    next_on = models.DateField()
    first_on = models.DateField(help_text="The first day on which the report is due.")

    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(
        default=0, help_text="How many attempts to make the report have failed since its due date."
    )

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints = [_one_audience("schedule_has_one_audience")]
        indexes = [models.Index(fields=["next_on"], condition=Q(ended_at=None), name="schedule_due")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the URL of the record's page."""
        return page_address("reports:schedule", self.pk)


@pghistory.track()
class Recipient(models.Model):
    """A person who gets a scheduled report while they belong to its audience."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="recipients")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "person"], name="unique_recipient_per_schedule")]

    def __str__(self) -> str:
        return f"{self.person_id} gets {self.schedule_id}"


class ReportFile(LeasedJob):
    """A file of a long report, which a worker writes for one person. States: requested → made or failed.

    `error` is the reason why the file could not be made, or "".
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="report_files")
    report = models.CharField(max_length=60)
    form = models.CharField(max_length=4, help_text="The format: pdf, docx or xlsx.")
    #: The filters, as the query string of the report's page.
    question = models.TextField(blank=True)
    asked_at = models.DateTimeField()

    # What the worker wrote.
    made_at = models.DateTimeField(null=True, blank=True)
    #: A digest of the roles that gave the person their rights when the file was written. If the digest changes later,
    #: the person may no longer download the file.
    holds = models.CharField(max_length=64, blank=True)
    #: The snapshot that the file shows.
    figures = models.JSONField(null=True, editable=False)
    content = models.BinaryField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], name="report_file_waiting", condition=Q(made_at=None, error="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(content__isnull=False, figures__isnull=False),
                name="made_report_file_has_content",
            )
        ]

    def __str__(self) -> str:
        return f"{self.report}.{self.form} of {self.person_id}"

    def get_absolute_url(self) -> str:
        """Return the URL of the record's page."""
        return page_address("reports:made-file", self.pk)

    @property
    def format(self) -> str:
        """Return the name of the file's format, such as “Word”."""
        return FORMATS.get(self.form, self.form)

    @property
    def is_made(self) -> bool:
        """Return whether the person can download the file."""
        return self.made_at is not None

    @property
    def is_at_work(self) -> bool:
        """Return whether a worker is writing the file, or will."""
        return not self.is_made and not self.error
