"""Progress reports, evidence, and changes of due date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q

from partnerships.commitments.models.choices import Status
from partnerships.commitments.models.commitments import Commitment
from partnerships.commitments.quantities import delivered_words
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


@pghistory.track()
class Slippage(models.Model):
    """A change of a commitment's due date, with author and reason. Rows never change."""

    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="slippages")
    # The due date before and after the change. There may have been none before.
    was = models.DateField(null=True)
    now = models.DateField()
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "change of due date"
        verbose_name_plural = "changes of due date"
        constraints = [
            models.CheckConstraint(condition=Q(was=None) | ~Q(was=F("now")), name="slippage_changes_date"),
            models.CheckConstraint(condition=~Q(reason=""), name="slippage_has_reason"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="slippage_kept", fields=["commitment", "was", "now", "reason", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.was} to {self.now}"

    @property
    def days(self) -> int:
        """Return the days between the two dates. Negative if the due date was brought forward."""
        return (self.now - self.was).days if self.was else 0


@pghistory.track()
class Progress(models.Model):
    """A progress report, with the total delivered before and after it, the status and a note."""

    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="progress")
    delivered_before = models.DecimalField(max_digits=14, decimal_places=2)
    delivered = models.DecimalField(max_digits=14, decimal_places=2)
    status = models.CharField(max_length=12, choices=Status)
    note = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "progress"
        constraints = [
            models.CheckConstraint(condition=Q(delivered__gte=0), name="progress_not_negative"),
        ]
        indexes = [models.Index(fields=["commitment", "-at", "-id"], name="progress_commitment")]

    def __str__(self) -> str:
        return f"{self.delivered_before} to {self.delivered}"

    @property
    def adds_delivery(self) -> bool:
        """Return whether the report changes the total delivered. Fetch `commitment` with the report."""
        return bool(self.commitment.quantity) and self.delivered != self.delivered_before

    @property
    def delivered_words(self) -> str:
        """Return the delivered part, such as `40 of 60 homes`, or "" if no quantity was promised.

        Fetch `commitment` with the report.
        """
        return delivered_words(self.delivered, self.commitment.quantity, self.commitment.unit)


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    """Filters for evidence by reader."""

    def visible_to(self, user: User | AnonymousUser) -> EvidenceQuerySet:
        """Return files that have not been removed, of commitments that the person may read."""
        return self.filter(commitment__in=Commitment.objects.visible_to(user), removed_at=None)


@pghistory.track()
class Evidence(models.Model):
    """A file that shows progress.

    The file is stored outside the web root, so that only a view that checks rights sends it.
    """

    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="evidence")
    progress = models.ForeignKey(Progress, on_delete=models.SET_NULL, null=True, blank=True, related_name="evidence")
    title = models.CharField(max_length=200)
    file = models.FileField(upload_to="commitments/%Y/%m", max_length=300)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="Size in bytes.")
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return self.title
