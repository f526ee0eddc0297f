"""Kinds of plan, and the parts with which new plans begin. Administrators define both."""

from __future__ import annotations

from typing import Any

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q, QuerySet

from partnerships.kit.vocabularies import CODE, CODE_HELP, Vocabulary, forget

#: Likelihood and impact of a risk go from 1 (very low) to 5 (very high).
_SCALE = [MinValueValidator(1), MaxValueValidator(5)]


@pghistory.track()
class PlanKind(Vocabulary):
    """A kind of plan, such as a housing strategy (docs/glossary.md)."""

    # `Plan.kind` stores this code, and has at most 20 characters too.
    code = models.CharField(max_length=20, unique=True, validators=[CODE], help_text=CODE_HELP)

    class Meta:
        verbose_name = "plan kind"

    @classmethod
    def rows_to_cache(cls) -> QuerySet[PlanKind]:
        """Return the kinds with their starter parts."""
        return cls.objects.prefetch_related("parts")

    def starter_parts(self, part: str) -> list[StarterPart]:
        """Return the starter parts in use of one list (a value of `Part`), by position.

        For a kind from `by_code`, this makes no query, because its parts are cached.
        """
        active_parts = [starter for starter in self.parts.all() if starter.active and starter.part == part]
        return sorted(active_parts, key=lambda starter: (starter.position, starter.pk))


class Part(models.TextChoices):
    """The lists of a plan that can begin with starter parts."""

    SECTION = "section", "Section"
    OUTCOME = "outcome", "Outcome"
    MILESTONE = "milestone", "Milestone"
    RISK = "risk", "Risk"


@pghistory.track()
class StarterPart(models.Model):
    """A section, outcome, milestone or risk with which new plans of a kind begin.

    A starter part is retired and not deleted.
    """

    kind = models.ForeignKey(PlanKind, on_delete=models.PROTECT, related_name="parts")
    part = models.CharField(max_length=10, choices=Part)
    title = models.CharField(max_length=200)
    note = models.CharField(
        max_length=300,
        blank=True,
        help_text="For a section, enter what to write in it. For an outcome, enter how to know that it is achieved. "
        "For a risk, enter what to do about it.",
    )
    likelihood = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=_SCALE, help_text="For risks only. Enter 1 (very low) to 5 (very high)."
    )
    impact = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=_SCALE, help_text="For risks only. Enter 1 (very low) to 5 (very high)."
    )
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Enter the place of this part in new plans. Lower numbers come first."
    )
    active = models.BooleanField(
        "in use", default=True, help_text="Untick to leave this part out of new plans. Existing plans keep it."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(likelihood=None, impact=None)
                | Q(part=Part.RISK, likelihood__range=(1, 5), impact__range=(1, 5)),
                name="only_starter_risks_have_scales",
                violation_error_message="Enter likelihood and impact for a risk, and leave both empty for anything "
                "else.",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the part, and clear this process's cache of the kinds."""
        super().save(*args, **kwargs)
        forget(PlanKind)
        # Before the commit, another request may fill the cache with the old parts again.
        transaction.on_commit(lambda: forget(PlanKind), robust=True)
