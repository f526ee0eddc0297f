"""Nominations agreements.

Which parties of a partnership are the council and the provider.
"""

from __future__ import annotations

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.kit.addresses import page_address
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def sides(*roles: str) -> tuple[Organisations, ...]:
    """Routes to people of the council and the provider while these take part.

    Only people with `roles`, if given.
    """
    return tuple(
        Organisations(f"{side}__organisation", when=Q(**{f"{side}__status": PartyStatus.ACCEPTED}), roles=roles)
        for side in ("council", "provider")
    )


#: Routes to people of all present parties.
PARTIES = (
    Organisations("partnership__parties__organisation", when=Q(partnership__parties__status=PartyStatus.ACCEPTED)),
)


class NominationsAgreementQuerySet(models.QuerySet["NominationsAgreement"]):
    """Agreements by reader.

    Who may read figures also depends on data sharing: ask `rights_over`.
    """

    def visible_to(self, user: User | AnonymousUser) -> NominationsAgreementQuerySet:
        """Agreements of partnerships in which an organisation of the person takes part."""
        return self.filter(visible_to(NominationsAgreement, PARTIES, user))

    def of_sides(self, user: User | AnonymousUser, *roles: str) -> NominationsAgreementQuerySet:
        """Agreements whose council or provider the person acts for, in one of the roles if given."""
        return self.filter(visible_to(NominationsAgreement, sides(*roles), user))

    def for_pages(self) -> NominationsAgreementQuerySet:
        """With partnership, council and provider."""
        return self.select_related("partnership", "council__organisation", "provider__organisation")


@pghistory.track()
class NominationsAgreement(models.Model):
    """A partnership whose terms say how many homes of a provider go to nominees of a council.

    What they agreed stands in the terms alone, and is read for a day with `queries.agreed_on`. This row begins when
    terms that say so first come into force. It follows the terms when later ones name other parties, and succession and
    merging through the parties.
    """

    partnership = models.OneToOneField(Partnership, on_delete=models.PROTECT, related_name="nominations")
    council = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    provider = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()

    objects = NominationsAgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(council=F("provider")), name="nominations_between_two_parties")
        ]

    def __str__(self) -> str:
        return f"nominations of {self.partnership_id}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return page_address("nominations:detail", self.partnership_id)

    @property
    def council_body(self) -> Organisation:
        """The council; fetch with `for_pages`."""
        return self.council.organisation

    @property
    def provider_body(self) -> Organisation:
        """The provider; fetch with `for_pages`."""
        return self.provider.organisation
