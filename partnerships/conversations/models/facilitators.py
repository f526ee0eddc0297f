"""Facilitators, who help a partnership to make progress and see what is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import PEOPLE_OF_PRESENT_PARTIES, Partnership, PartyStatus
from partnerships.organisations.audience import People
from partnerships.organisations.audience import visible_to as visibility_condition
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Who may read a facilitator's row. They are the facilitator and people of present parties.
ROUTES = (
    People("person"),
    PEOPLE_OF_PRESENT_PARTIES,
)


class FacilitatorQuerySet(models.QuerySet["Facilitator"]):
    """Filters for facilitators by reader and by state."""

    def visible_to(self, user: User | AnonymousUser) -> FacilitatorQuerySet:
        """Return the person's own facilitations, and facilitators of partnerships in which the person takes part."""
        return self.filter(visibility_condition(Facilitator, ROUTES, user))

    def not_ended(self) -> FacilitatorQuerySet:
        """Return the facilitators whose role has not ended, whether or not they have accepted it."""
        return self.filter(ended_at=None)

    def active(self) -> FacilitatorQuerySet:
        """Return the facilitators who accepted and still have their role.

        The facilitator must still act for the organisation, and the organisation must still take part
        in a partnership that is live.
        """
        current_membership = Membership.objects.current().filter(
            person=models.OuterRef("person"), organisation=models.OuterRef("organisation")
        )
        partnership_with_party = Partnership.objects.live().filter(
            pk=models.OuterRef("partnership"),
            parties__organisation=models.OuterRef("organisation"),
            parties__status=PartyStatus.ACCEPTED,
        )
        return self.not_ended().filter(
            models.Exists(current_membership), models.Exists(partnership_with_party), accepted_at__isnull=False
        )

    def for_listing(self) -> FacilitatorQuerySet:
        """Fetch person, organisation and partnership."""
        return self.select_related("person", "organisation", "partnership")


@pghistory.track()
class Facilitator(models.Model):
    """A person who was named to help a partnership to make progress.

    The role is named → accepted → ended, or it ends before the person accepts. Facilitators may read the partnership
    as their organisation does, usually as an observer.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="facilitators")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    #: Whether the organisation was invited only because of its facilitators. It then leaves with the last of them.
    brought_party = models.BooleanField(default=False)

    # When the person was named, accepted the role, and when the role ended.
    named_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    named_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    end_reason = models.TextField(blank=True)

    objects = FacilitatorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partnership", "person"],
                condition=Q(ended_at=None),
                name="unique_current_partnership_facilitator",
            ),
            models.CheckConstraint(condition=Q(ended_at=None) | ~Q(end_reason=""), name="ended_facilitator_has_reason"),
        ]

    def __str__(self) -> str:
        return f"Facilitator {self.pk}"

    @property
    def is_waiting(self) -> bool:
        """Return whether the person has neither accepted nor ended the role."""
        return self.accepted_at is None and self.ended_at is None
