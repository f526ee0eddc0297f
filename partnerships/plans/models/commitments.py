"""Commitments that came from a plan, or from a site or milestone of the plan."""

from __future__ import annotations

import pghistory
from django.db import models

from partnerships.commitments.models import Commitment
from partnerships.plans.models.plan import Plan


@pghistory.track()
class PlanCommitment(models.Model):
    """A commitment that came from one version of a plan.

    `anchor` is the piece ("sites/north-quay"), "" for the whole plan. `anchor_label` is the title of the piece at the
    time; it remains when the piece is removed. `restricted` means that only readers inside may know the piece.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="commitments")
    commitment = models.ForeignKey(Commitment, on_delete=models.PROTECT, related_name="from_plans")
    version_number = models.PositiveIntegerField()
    anchor = models.CharField(max_length=120, blank=True)
    anchor_label = models.CharField(max_length=500, blank=True)
    restricted = models.BooleanField(default=False)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "commitment"], name="unique_commitment_per_plan")]

    def __str__(self) -> str:
        return f"{self.commitment_id} from {self.plan_id}"
