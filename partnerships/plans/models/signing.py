"""The organisations that must sign a plan, their decisions, and the conditions that they confirmed as met."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q

from partnerships.documents import models as documents
from partnerships.people.models import User
from partnerships.plans.models.plan import Plan
from partnerships.plans.models.version import Version


@pghistory.track(exclude=["link_key"])
class Signatory(documents.Signatory):
    """An organisation that must sign a plan.

    An organisation that is no longer asked has `removed_at`. If it is asked again, it gets a new row.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="signatories")

    class Meta:
        verbose_name_plural = "signatories"
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "organisation"],
                condition=Q(removed_at=None),
                name="unique_signatory_per_plan",
                violation_error_message="This organisation has already been asked to sign.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} signs {self.plan_id}"


class SignOff(documents.Signature):
    """An organisation's decision on a version of a plan. An organisation decides on a version once."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="sign_offs")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="sign_offs")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta(documents.Signature.Meta):
        verbose_name = "decision of a signatory"
        verbose_name_plural = "decisions of signatories"
        constraints = [
            models.UniqueConstraint(fields=["version", "organisation"], name="unique_sign_off_per_version"),
            models.CheckConstraint(condition=documents.reason_given(), name="sign_off_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.decision} {self.version_id}"

    @property
    def is_condition_met(self) -> bool:
        """Return whether the condition of the decision is met. Select `condition_met` with the decision."""
        return hasattr(self, "condition_met")

    @property
    def version_number(self) -> int:
        """Return the number of the version decided on. Select `version` with the decision."""
        return self.version.number

    @property
    def words(self) -> str:
        """Return the decision in words, and whether its condition is met."""
        if self.is_conditional and self.is_condition_met:
            return "Approved, condition met"
        return self.get_decision_display()


class ConditionMet(models.Model):
    """An organisation's confirmation that the condition of its decision is met. A confirmation never changes."""

    sign_off = models.OneToOneField(SignOff, on_delete=models.PROTECT, related_name="condition_met")
    note = models.TextField(blank=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Condition of {self.sign_off_id} met"
