"""Successions: which organisations followed which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models

from partnerships.organisations.models.organisation import Organisation

if TYPE_CHECKING:
    pass


class SuccessionKind(models.TextChoices):
    """How one organisation or area followed another."""

    MERGE = "merge", "Merged"
    SPLIT = "split", "Split"
    ABSORB = "absorb", "Absorbed"
    RECODE = "recode", "Recoded"
    BOUNDARY_CHANGE = "boundary_change", "Boundary change"
    FUNCTION_TRANSFER = "function_transfer", "Functions transferred"
    RENAME = "rename", "Renamed"


@pghistory.track()
class Succession(models.Model):
    """An event that turned predecessors into successors.

    With its date and legal instrument.
    """

    kind = models.CharField(max_length=20, choices=SuccessionKind)
    on = models.DateField(null=True, blank=True, help_text="The day the successors took over.")
    instrument = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=200, blank=True)
    predecessors = models.ManyToManyField(
        Organisation, related_name="successions_from", through="SuccessionPredecessor"
    )
    successors = models.ManyToManyField(Organisation, related_name="successions_to", through="SuccessionSuccessor")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on or ''}".strip()


@pghistory.track()
class SuccessionPredecessor(models.Model):
    """An organisation that a succession ended or took from."""

    succession = models.ForeignKey(Succession, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["succession", "organisation"], name="one_predecessor_row")]

    def __str__(self) -> str:
        return f"{self.organisation_id} before {self.succession_id}"


@pghistory.track()
class SuccessionSuccessor(models.Model):
    """An organisation that a succession created or gave to."""

    succession = models.ForeignKey(Succession, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["succession", "organisation"], name="one_successor_row")]

    def __str__(self) -> str:
        return f"{self.organisation_id} after {self.succession_id}"
