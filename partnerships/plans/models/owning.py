"""Offers of ownership, and partnerships that plans have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Exists, OuterRef, Q

from partnerships.agreements.models import FORMER_STATUSES, Partnership, Party, PartyRole, PartyStatus
from partnerships.organisations.models import Organisation, Role
from partnerships.people.models import User
from partnerships.plans.models.plan import Plan, PlanOwner
from partnerships.plans.models.states import WIDER_THAN_OWNERS, Audience

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


@pghistory.track()
class PastPartnership(models.Model):
    """A partnership to which a plan belonged until the plan's only owner left it.

    The parties of the partnership can still read the versions that they could read until then.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="past_partnerships")
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="past_plans")
    audience = models.CharField(max_length=12, choices=Audience, help_text="Who could read the plan until it left.")
    left_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.plan_id} left {self.partnership_id}"


class OfferQuerySet(models.QuerySet["OwnershipOffer"]):
    """Filters for offers of ownership by state and reader."""

    def unanswered(self) -> OfferQuerySet:
        """Return offers that are neither answered nor withdrawn. Not all of them can still be accepted."""
        return self.filter(answered_at=None, withdrawn_at=None)

    def acceptable(self) -> OfferQuerySet:
        """Return unanswered offers that the receiver can still accept.

        The giver must still own the plan. If the plan has left its partnership, the receiver must still take part in
        the partnership in which the plan was offered. If the plan had no partnership when it was offered, the receiver
        must share a live partnership with the giver.
        """
        giving_owners = PlanOwner.objects.filter(plan=OuterRef("plan"), organisation=OuterRef("offered_for"))
        receiving_parties = (
            Party.objects.accepted()
            .filter(organisation=OuterRef("organisation"), partnership__in=Partnership.objects.live().values("pk"))
            .exclude(role=PartyRole.OBSERVER)
        )
        # This subquery is inside the subquery of the receiving parties, so the giver is two queries further out.
        giving_parties = Party.objects.accepted().filter(
            partnership=OuterRef("partnership"), organisation=OuterRef(OuterRef("offered_for"))
        )
        plan_has_partnership = Q(plan__partnership__isnull=False)
        is_in_past_partnership = Q(Exists(receiving_parties.filter(partnership=OuterRef("partnership"))))
        shares_partnership_with_giver = Q(Exists(receiving_parties.filter(Exists(giving_parties))), partnership=None)
        return self.unanswered().filter(
            plan_has_partnership | is_in_past_partnership | shares_partnership_with_giver,
            Exists(giving_owners),
        )

    def visible_to(self, user: User | AnonymousUser) -> OfferQuerySet:
        """Return offers that the person may see as a lead of the receiver, or as a lead of any owner of the plan."""
        led_organisations = Organisation.objects.of_person(user, Role.LEAD).values("pk")
        owned_plans = PlanOwner.objects.filter(organisation__in=led_organisations).values("plan")
        return self.filter(Q(organisation__in=led_organisations) | Q(plan__in=owned_plans))


@pghistory.track()
class OwnershipOffer(models.Model):
    """An offer of a plan to another organisation, which will own the plan too or take it over.

    offered → accepted, declined or withdrawn. After an accepted handover, the giver no longer owns the plan.

    A plan leaves its partnership when its only owner leaves. If a present party of that partnership then accepts a
    handover of the plan, the plan returns to the partnership.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="ownership_offers")
    #: The receiver, which may accept the offer.
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="ownership_offers")
    hands_over = models.BooleanField(
        help_text="Whether the organisation that offers the plan gives up its own ownership."
    )

    #: The plan's partnership at the time of the offer.
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: The giver, which is the owner for which `offered_by` made the offer.
    offered_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    offered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    offered_at = models.DateTimeField()
    message = models.TextField(blank=True)

    # The answer of the receiver, or the withdrawal by the giver.
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    #: None until the offer is answered.
    accepted = models.BooleanField(null=True)
    reason = models.TextField(blank=True, help_text="Why the offer was declined.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        constraints = [
            # At most one unanswered offer of a plan to each receiver, from whichever owner.
            models.UniqueConstraint(
                fields=["plan", "organisation"],
                condition=Q(answered_at=None, withdrawn_at=None),
                name="unique_waiting_offer_per_organisation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} offered to {self.organisation_id}"


def left_plan_after(user: User, *, plan: str, at: str) -> Q:
    """Return the condition that an organisation of the person left a plan at or after a moment.

    `plan` and `at` are the lookups of the plan and the moment. An organisation leaves a plan when it leaves the plan's
    partnership or stops owning the plan. It also leaves the plan when the plan is taken out of a partnership to which
    the organisation belongs.
    """
    own_organisations = Organisation.objects.of_person(user).values("pk")
    left_partnership = Party.objects.left_after(at, user).filter(partnership__plans=OuterRef(plan))
    plan_left_partnership = Party.objects.filter(organisation__in=own_organisations).filter(
        Q(status=PartyStatus.ACCEPTED) | Q(status__in=FORMER_STATUSES, left_at__gte=OuterRef(at)),
        partnership__past_plans__plan=OuterRef(plan),
        partnership__past_plans__audience__in=WIDER_THAN_OWNERS,
        partnership__past_plans__left_at__gte=OuterRef(at),
    )
    stopped_owning = PlanOwner.ever.filter(
        plan=OuterRef(plan), organisation__in=own_organisations, ended_at__gte=OuterRef(at)
    )
    return Q(Exists(left_partnership)) | Q(Exists(plan_left_partnership)) | Q(Exists(stopped_owning))
