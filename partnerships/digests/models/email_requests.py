"""Addresses typed by visitors, waiting for the sweep to process them."""

from __future__ import annotations

from django.db import models

from partnerships.digests.models.preferences import Frequency
from partnerships.plans.models import Plan


class EmailRequest(models.Model):
    """An address that somebody typed who is not signed in, until the sweep takes it up: for new links or, with a plan,
    to be asked about its digests.

    The page writes this row and does nothing else, whosever address it is: what is known about one cannot be measured.
    """

    address = models.EmailField(max_length=254)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, related_name="+")
    frequency = models.CharField(max_length=8, choices=Frequency, blank=True)
    typed_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"Typed address {self.pk}"
