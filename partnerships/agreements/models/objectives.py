"""Objectives of a partnership, reports of progress, and the records that serve them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models.partnership import Partnership
from partnerships.kit.addresses import page_address
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ObjectiveStatus(models.TextChoices):
    """State of an objective."""

    OPEN = "open", "Open"
    MET = "met", "Met"
    DROPPED = "dropped", "Dropped"


class ObjectiveQuerySet(models.QuerySet["Objective"]):
    """Filters for objectives by who may read them."""

    def visible_to(self, user: User | AnonymousUser) -> ObjectiveQuerySet:
        """Return the objectives of partnerships in which the person's organisation takes part.

        Observers may read them too. People of former parties get objectives as they were when their party left, from
        `queries.objectives`.
        """
        return self.filter(partnership__in=Partnership.objects.with_party_of(user).values("pk"))


@pghistory.track()
class Objective(models.Model):
    """A figure that a partnership wants to reach by a date, for example 400 homes started by March 2028.

    An open objective becomes met or dropped, and can be opened again. Every change of status has a reason.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="objectives")
    text = models.CharField(max_length=300)
    measure = models.CharField(max_length=200, help_text="What is counted. For example, homes started.")
    unit = models.CharField(max_length=40, blank=True)

    # The starting figure, and the figure to reach, which may be higher or lower.
    baseline = models.DecimalField(max_digits=14, decimal_places=2)
    baseline_on = models.DateField()
    target = models.DecimalField(max_digits=14, decimal_places=2)
    target_on = models.DateField()

    # Who is responsible.
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    position = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=7, choices=ObjectiveStatus, default=ObjectiveStatus.OPEN)
    status_reason = models.TextField(blank=True)
    #: Rises with each change, so that nobody overwrites a change that they have not seen.
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = ObjectiveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(target_on__gt=F("baseline_on")), name="objective_target_after_baseline"),
            models.CheckConstraint(condition=~Q(target=F("baseline")), name="objective_target_differs_from_baseline"),
            models.CheckConstraint(
                condition=Q(status=ObjectiveStatus.OPEN) | ~Q(status_reason=""), name="closed_objective_has_reason"
            ),
        ]
        indexes = [models.Index(fields=["partnership", "position", "id"], name="objective_listing")]

    def __str__(self) -> str:
        return f"Objective {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the address of the objective's page."""
        return page_address("agreements:objective", self.partnership_id, self.pk)

    @property
    def is_open(self) -> bool:
        """Return whether the objective is neither met nor dropped."""
        return self.status == ObjectiveStatus.OPEN

    def in_words(self, figure: Decimal) -> str:
        """Return a figure with its unit, such as "40 homes" or "12.5%"."""
        digits = f"{figure.normalize():,f}"
        return f"{digits}%" if self.unit == "%" else f"{digits} {self.unit}".strip()


class ObjectiveProgress(models.Model):
    """A report of an objective's figure on a day. Reports are append-only."""

    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="progress")
    on = models.DateField()
    figure = models.DecimalField(max_digits=14, decimal_places=2)
    note = models.TextField(blank=True)
    blocked_by = models.CharField(max_length=300, blank=True)

    # Who reported, for which organisation, and when.
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "report of progress on an objective"
        verbose_name_plural = "reports of progress on objectives"
        indexes = [models.Index(fields=["objective", "-on", "-id"], name="objective_progress")]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.figure} on {self.on}"


@pghistory.track()
class ObjectiveLink(models.Model):
    """A link to a record or figure of another room that serves an objective, such as a commitment.

    `provider` is the code with which the other room has registered (see `serving`). That room defines what `key` means.
    """

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="links")
    provider = models.CharField(max_length=30)
    key = models.CharField(max_length=200)
    linked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    linked_at = models.DateTimeField()

    class Meta:
        verbose_name = "record linked to an objective"
        verbose_name_plural = "records linked to objectives"
        constraints = [
            models.UniqueConstraint(
                fields=["objective", "provider", "key"],
                name="unique_link_per_objective",
                violation_error_message="This record is already linked to the objective. Choose another record.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.key}"
