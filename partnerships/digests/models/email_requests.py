"""Requests for emails from visitors who are not signed in."""

from __future__ import annotations

from django.db import models

from partnerships.digests.models.preferences import Frequency
from partnerships.plans.models import Plan


class EmailRequest(models.Model):
    """An address that a visitor has entered, until the sweep processes it.

    The visitor asks for new links or, if a plan is set, for the digests of that plan. The page only writes this row, so
    the time that it takes does not show whether we know the address.
    """

    address = models.EmailField(max_length=254)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, related_name="+")
    frequency = models.CharField(max_length=8, choices=Frequency, blank=True)
    typed_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "address entered without signing in"
        verbose_name_plural = "addresses entered without signing in"

    def __str__(self) -> str:
        return f"Email request {self.pk}"
