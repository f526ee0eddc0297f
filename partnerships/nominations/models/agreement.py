"""The model of nominations agreements, with the parties that are the council and the provider.

The council and the provider are the two sides of an agreement.
"""

from __future__ import annotations

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import PEOPLE_OF_PRESENT_PARTIES, Partnership, Party, PartyStatus
from partnerships.kit.addresses import page_address
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def side_routes(*roles: str) -> tuple[Organisations, ...]:
    """Return routes to people who have one of the roles at the council or the provider, while these are parties."""
    return tuple(
        Organisations(f"{side}__organisation", when=Q(**{f"{side}__status": PartyStatus.ACCEPTED}), roles=roles)
        for side in ("council", "provider")
    )


class NominationsAgreementQuerySet(models.QuerySet["NominationsAgreement"]):
    """Filters for nominations agreements by reader.

    A reader of the agreement may read its figures only while data-sharing terms are in force, as `rights_over` checks.
    """

    def visible_to(self, user: User | AnonymousUser) -> NominationsAgreementQuerySet:
        """Return agreements of partnerships in which an organisation of the person takes part."""
        return self.filter(visible_to(NominationsAgreement, (PEOPLE_OF_PRESENT_PARTIES,), user))

    def with_side_of(self, user: User | AnonymousUser, *roles: str) -> NominationsAgreementQuerySet:
        """Return agreements for whose council or provider the person has one of the roles (by default, any)."""
        return self.filter(visible_to(NominationsAgreement, side_routes(*roles), user))

    def for_pages(self) -> NominationsAgreementQuerySet:
        """Fetch the partnership, the council and the provider with each agreement."""
        return self.select_related("partnership", "council__organisation", "provider__organisation")


@pghistory.track()
class NominationsAgreement(models.Model):
    """An agreement that gives a council's nominees a share of a provider's lettings.

    The row names the two parties only. The shares are in the terms, which `queries.nomination_terms_on` reads.
    The row is created when terms with shares first come into force. It changes when later terms name other parties, and
    when another organisation succeeds a party.
    """

    partnership = models.OneToOneField(Partnership, on_delete=models.PROTECT, related_name="nominations")
    council = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    provider = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()

    objects = NominationsAgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(council=F("provider")), name="nominations_council_is_not_provider")
        ]

    def __str__(self) -> str:
        return f"nominations of {self.partnership_id}"

    def get_absolute_url(self) -> str:
        """Return the URL of the agreement's page."""
        return page_address("nominations:detail", self.partnership_id)

    @property
    def council_body(self) -> Organisation:
        """Return the council. The agreement should be fetched with `for_pages`."""
        return self.council.organisation

    @property
    def provider_body(self) -> Organisation:
        """Return the provider. The agreement should be fetched with `for_pages`."""
        return self.provider.organisation
