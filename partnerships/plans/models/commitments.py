"""Commitments that came from a plan, or from a site or milestone of the plan."""

from __future__ import annotations

import pghistory
from django.db import models

from partnerships.commitments.models import Commitment
from partnerships.plans.models.plan import Plan


@pghistory.track()
class PlanCommitment(models.Model):
    """A commitment that came from one version of a plan."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="commitments")
    commitment = models.ForeignKey(Commitment, on_delete=models.PROTECT, related_name="from_plans")
    version_number = models.PositiveIntegerField()

    #: The piece of the plan, for example "sites/north-quay", and its title at the time. Both are "" for the whole plan.
    anchor = models.CharField(max_length=120, blank=True)
    anchor_label = models.CharField(max_length=500, blank=True)
    #: Whether only readers inside may see the piece.
    restricted = models.BooleanField(default=False)

    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "commitment"], name="unique_commitment_per_plan")]

    def __str__(self) -> str:
        return f"{self.commitment_id} from {self.plan_id}"
