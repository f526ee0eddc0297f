"""Sign-off: who must sign, their decisions, and conditions met."""

from __future__ import annotations

import datetime as dt

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models.plan import Plan
from partnerships.plans.models.version import Version


class Decision(models.TextChoices):
    """An organisation's decision on a version."""

    APPROVED = "approved", "Approved"
    CONDITIONAL = "conditional", "Approved with a condition"
    REJECTED = "rejected", "Rejected"


@pghistory.track(exclude=["link_key"])
class Signatory(models.Model):
    """An organisation whose signature a plan needs, and who signs for it.

    asked → decided; lapsed after `due_on` until it decides; removed when its signature is no longer needed. `link_key`
    is part of the links in emails: a new key makes old links invalid.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="signatories")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=150, help_text="Who signs, such as “Chief executive”.")
    due_on = models.DateField(null=True, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    link_key = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "signatories"
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "organisation"],
                condition=Q(removed_at=None),
                name="one_signatory_an_organisation",
                violation_error_message="This organisation is already asked to sign.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} signs {self.plan_id}"

    def has_lapsed(self, today: dt.date | None = None) -> bool:
        """Whether its deadline is past.

        A deadline before it was last asked does not count.
        """
        if self.due_on is None or self.due_on < timezone.localdate(self.asked_at):
            return False
        return self.due_on < (today or timezone.localdate())


class SignOff(models.Model):
    """An organisation's decision on a version, by one person.

    A trigger keeps it unchanged.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="sign_offs")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="sign_offs")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=150)
    decision = models.CharField(max_length=12, choices=Decision)
    reason = models.TextField(blank=True, help_text="The condition, or why it was rejected.")
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "organisation"], name="one_decision_an_organisation_and_version"
            ),
            models.CheckConstraint(
                condition=Q(decision=Decision.APPROVED) | ~Q(reason=""), name="sign_off_reason_given"
            ),
        ]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.decision} {self.version_id}"

    @property
    def is_conditional(self) -> bool:
        """Whether it counts only once a condition is met."""
        return self.decision == Decision.CONDITIONAL

    @property
    def is_condition_met(self) -> bool:
        """Whether its condition is met; select `condition_met` with it."""
        return hasattr(self, "condition_met")

    @property
    def code(self) -> str:
        """The decision, for `documents.signing`."""
        return self.decision

    @property
    def version_number(self) -> int:
        """The number of the version decided on; select `version` with it."""
        return self.version.number

    @property
    def is_rejected(self) -> bool:
        """Whether the organisation rejected the version."""
        return self.decision == Decision.REJECTED

    @property
    def words(self) -> str:
        """The decision in words, and whether its condition is met."""
        if self.is_conditional and self.is_condition_met:
            return "Approved, condition met"
        return self.get_decision_display()


class ConditionMet(models.Model):
    """Confirmation, by the organisation that set it, that a condition is met.

    Never changed.
    """

    sign_off = models.OneToOneField(SignOff, on_delete=models.PROTECT, related_name="condition_met")
    note = models.TextField(blank=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Condition of {self.sign_off_id} met"
