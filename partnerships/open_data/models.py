"""Models of publications of open data, and of the saved rows of imported files."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import F, Q

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.open_data.standards import STANDARDS, Standard
from partnerships.organisations.models import Organisation, Status
from partnerships.plans.models import Plan

#: The position of rows that were entered on pages, which come after all rows of files.
ENTERED_POSITION = 10**9


class PublicationQuerySet(models.QuerySet["Publication"]):
    """Filters for publications by whether they are in force."""

    def in_force(self) -> PublicationQuerySet:
        """Return the publications that have not ended, of organisations that still exist."""
        return self.filter(ended_at=None).exclude(organisation__status=Status.DISSOLVED)


@pghistory.track()
class Publication(models.Model):
    """An organisation's decision to publish the files of a standard.

    begun → ended

    An organisation has at most one publication of a standard that has not ended.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="publications")
    standard = models.CharField(max_length=40, help_text="The code of the standard in the specification.")
    reason = models.TextField()

    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.TextField(blank=True)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "standard"],
                condition=Q(ended_at=None),
                name="unique_current_publication_per_standard",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("begun_at")),
                name="publication_does_not_end_before_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.files.title} of {self.organisation_id}"

    @property
    def files(self) -> Standard:
        """Return the standard whose files are published."""
        return STANDARDS[self.standard]


class Record(models.Model):
    """A row of a standard's file as last imported, with the plan, agreement or commitment that it describes."""

    dataset = models.CharField(max_length=40, help_text="The code of the file in the specification.")
    # The row describes exactly one of these.
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, blank=True, related_name="records")
    agreement = models.ForeignKey(
        DeveloperAgreement, on_delete=models.CASCADE, null=True, blank=True, related_name="records"
    )
    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, null=True, blank=True, related_name="records")
    #: The key of the plan's milestone or site.
    key = models.CharField(max_length=100, blank=True)

    # What the row says.
    position = models.PositiveIntegerField(help_text="The number of the row in the file.")
    #: The texts of the row, by field.
    cells = models.JSONField()
    #: The plan's own values when the row was imported. The published row has the original text of every field whose
    #: value is still the same (decision 67).
    values = models.JSONField(default=dict)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(plan__isnull=False, agreement=None, commitment=None)
                | Q(plan=None, agreement__isnull=False, commitment=None)
                | Q(plan=None, agreement=None, commitment__isnull=False),
                name="published_record_has_one_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset}, row {self.position}"
