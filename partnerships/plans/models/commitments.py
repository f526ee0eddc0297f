"""Commitments that came from a plan, or from a site or milestone of it."""

from __future__ import annotations

import pghistory
from django.db import models

from partnerships.commitments.models import Commitment
from partnerships.plans.models.plan import Plan


@pghistory.track()
class PlanCommitment(models.Model):
    """A commitment that came from a plan as it stood in one version.

    `anchor` names the piece ("sites/north-quay"), "" for the whole plan; `anchor_label` keeps what it was called, so
    that the origin outlives the site. `restricted` ones came from what only readers of class inside may know of.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="commitments")
    commitment = models.ForeignKey(Commitment, on_delete=models.PROTECT, related_name="from_plans")
    version_number = models.PositiveIntegerField()
    anchor = models.CharField(max_length=120, blank=True)
    anchor_label = models.CharField(max_length=500, blank=True)
    restricted = models.BooleanField(default=False)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "commitment"], name="one_plan_link")]

    def __str__(self) -> str:
        return f"{self.commitment_id} from {self.plan_id}"
