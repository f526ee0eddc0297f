"""Roles of stakeholders in their own words, and the trust of organisations in stakeholders."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class WorkRole(models.Model):
    """A stakeholder's role in their own words, such as "Chair of the tenants' panel"."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="work_role")
    title = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Role of {self.person_id}"


class TrustQuerySet(models.QuerySet["Trust"]):
    """Filters for the trust of organisations in stakeholders."""

    def current(self) -> TrustQuerySet:
        """Return the rows whose trust has not ended."""
        return self.filter(ended_at=None)


@pghistory.track()
class Trust(models.Model):
    """The trust of an organisation in a stakeholder, whose answers about its plans are shown without approval.

    When the organisation ends its trust, the row stays. A stakeholder and an organisation have at most one current row.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="trusted_by")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = TrustQuerySet.as_manager()

    class Meta:
        verbose_name = "stakeholder whose answers need no approval"
        verbose_name_plural = "stakeholders whose answers need no approval"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation"],
                condition=Q(ended_at=None),
                name="unique_current_trust_per_organisation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} trusts {self.person_id}"
