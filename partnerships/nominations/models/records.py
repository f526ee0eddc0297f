"""Records of the figures of a return on which both sides agreed, as the council confirmed them."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse

from partnerships.nominations.models.returns import NominationsReturn
from partnerships.people.models import User


class ReturnRecord(models.Model):
    """The figures of a return when the council confirmed them, and what other parties see of them. Rows never change.

    Number 1 is the first confirmation. Each correction adds a record, with its reason.
    """

    nominations_return = models.ForeignKey(NominationsReturn, on_delete=models.PROTECT, related_name="records")
    number = models.PositiveSmallIntegerField()
    reason = models.TextField(blank=True, help_text="Why the previous record was corrected.")
    #: The whole return (`queries.records`).
    content = models.JSONField()
    #: The figures for other parties, with None where they are masked. Once shown, figures must not be computed again
    #: in another way, so they are stored.
    masked = models.JSONField()

    # When the provider sent the figures, and when the council confirmed them.
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["nominations_return", "number"], name="unique_record_number_per_return"),
            models.CheckConstraint(
                condition=Q(number=1, reason="") | Q(number__gt=1) & ~Q(reason=""), name="only_corrections_have_reason"
            ),
        ]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.words} of return {self.nominations_return_id}"

    @property
    def words(self) -> str:
        """Return the name of the record: `First record`, `Correction 1` and so on."""
        return f"Correction {self.number - 1}" if self.number > 1 else "First record"

    @property
    def starts_on(self) -> dt.date:
        """Return the first day of the quarter of the return."""
        return dt.date.fromisoformat(self.content["starts_on"])

    def address(self, shape: str) -> str:
        """Return the URL of the record as a file: `pdf`, `xlsx` or `csv`.

        The record should be fetched with its return and agreement.
        """
        nominations_return = self.nominations_return
        numbers = [nominations_return.agreement.partnership_id, nominations_return.pk, self.number, shape]
        return reverse("nominations:record", args=numbers)
