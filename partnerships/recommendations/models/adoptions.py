"""Recommendations that partnerships adopt, and their outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import (
    FORMER_STATUSES,
    PEOPLE_OF_PRESENT_PARTIES,
    Objective,
    Partnership,
)
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Meeting
from partnerships.kit.addresses import page_address
from partnerships.organisations.audience import Organisations, Route, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.recommendations.models.sources import Recommendation

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

_PARTY = "partnership__parties"
#: Readers (docs/rights.md): people of present parties, and of former parties if nothing has changed since they left.
ADOPTION_ROUTES: tuple[Route, ...] = (
    PEOPLE_OF_PRESENT_PARTIES,
    Organisations(
        f"{_PARTY}__organisation",
        when=Q(**{f"{_PARTY}__status__in": FORMER_STATUSES}) & Q(changed_at__lte=F(f"{_PARTY}__left_at")),
    ),
)


class AdoptionStatus(models.TextChoices):
    """Whether a partnership has adopted a recommendation."""

    PROPOSED = "proposed", "Proposed"
    ADOPTED = "adopted", "Adopted"
    DROPPED = "dropped", "Dropped"


class AdoptionQuerySet(models.QuerySet["Adoption"]):
    """Filters for adoptions by reader and by status."""

    def visible_to(self, user: User | AnonymousUser) -> AdoptionQuerySet:
        """Return adoptions by partnerships in which the person takes part, or took part when they last changed."""
        return self.filter(visible_to(Adoption, ADOPTION_ROUTES, user))

    def adopted(self) -> AdoptionQuerySet:
        """Return adoptions that a meeting recorded and that were not dropped."""
        return self.filter(status=AdoptionStatus.ADOPTED)

    def live(self) -> AdoptionQuerySet:
        """Return adoptions that are proposed or adopted."""
        return self.exclude(status=AdoptionStatus.DROPPED)

    def for_listing(self) -> AdoptionQuerySet:
        """Fetch the related rows that lists show. Lists sort the adoptions themselves."""
        return self.select_related("recommendation__source", "partnership", "meeting", "proposed_for")


@pghistory.track()
class Adoption(models.Model):
    """A recommendation that a partnership has adopted, or is asked to adopt.

    States: proposed → adopted. A proposal is on the agenda of the next meeting, and a meeting adopts it. An adoption
    can be dropped at any time, with a reason, and then proposed again. Its outcomes are the objectives and commitments
    that come from the recommendation.
    """

    recommendation = models.ForeignKey(Recommendation, on_delete=models.PROTECT, related_name="adoptions")
    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="adopted_recommendations")
    status = models.CharField(max_length=8, choices=AdoptionStatus, default=AdoptionStatus.PROPOSED)

    # The proposal, and how the partnership decided on it.
    why = models.CharField(max_length=500, help_text="Why the recommendation was proposed.")
    proposed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    meeting = models.ForeignKey(
        Meeting,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The meeting that adopted the recommendation.",
    )
    reason = models.TextField(blank=True, help_text="Why the recommendation was dropped.")
    changed_at = models.DateTimeField()

    objects = AdoptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partnership", "recommendation"], name="unique_adoption_per_partnership"),
            models.CheckConstraint(
                condition=~Q(status=AdoptionStatus.ADOPTED) | Q(meeting__isnull=False),
                name="adopted_recommendation_has_meeting",
            ),
            models.CheckConstraint(
                condition=~Q(status=AdoptionStatus.DROPPED) | ~Q(reason=""), name="dropped_adoption_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"Adoption {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the adoption's page."""
        return page_address("recommendations:adoption", self.pk)

    @property
    def is_adopted(self) -> bool:
        """Return whether a meeting adopted the recommendation."""
        return self.status == AdoptionStatus.ADOPTED

    @property
    def is_dropped(self) -> bool:
        """Return whether the partnership dropped the recommendation."""
        return self.status == AdoptionStatus.DROPPED


@pghistory.track()
class Outcome(models.Model):
    """An objective or a commitment that came from an adopted recommendation. Exactly one of the two is set."""

    adoption = models.ForeignKey(Adoption, on_delete=models.CASCADE, related_name="outcomes")
    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    linked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(objective__isnull=False, commitment=None) | Q(objective=None, commitment__isnull=False),
                name="outcome_has_one_record",
            ),
            models.UniqueConstraint(fields=["adoption", "objective"], name="unique_outcome_per_objective"),
            models.UniqueConstraint(fields=["adoption", "commitment"], name="unique_outcome_per_commitment"),
        ]

    def __str__(self) -> str:
        return f"Outcome {self.pk}"
