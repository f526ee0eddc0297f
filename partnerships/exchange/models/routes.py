"""Routes from asks and offers to the people who may read them.

`visible_to`, `readers_of` and the SQL of digests are built from these routes.
"""

from __future__ import annotations

from django.db.models import F, Q

from partnerships.agreements.models import FORMER_STATUSES, PartyStatus
from partnerships.exchange.models.words import Audience
from partnerships.organisations.audience import Network, Organisations, Route

#: The condition that an entry was shared. Only its organisation sees a draft, even after the draft is withdrawn.
IS_SHARED = Q(shared_at__isnull=False)
#: Present readers, who may read an entry and whom digests notify about its changes.
PRESENT_ROUTES: tuple[Route, ...] = (
    Organisations("organisation"),
    Organisations("addressees__organisation", when=IS_SHARED & Q(audience=Audience.NAMED)),
    Organisations(
        "partnership__parties__organisation",
        when=IS_SHARED & Q(audience=Audience.PARTNERSHIP, partnership__parties__status=PartyStatus.ACCEPTED),
    ),
    Network(when=IS_SHARED & Q(audience=Audience.NETWORK)),
)
#: A former party reads what was shared before it left and has not changed since.
FORMER_ROUTES: tuple[Route, ...] = (
    Organisations(
        "partnership__parties__organisation",
        when=IS_SHARED
        & Q(
            audience=Audience.PARTNERSHIP,
            partnership__parties__status__in=FORMER_STATUSES,
            shared_at__lte=F("partnership__parties__left_at"),
            changed_at__lte=F("partnership__parties__left_at"),
        ),
    ),
)
#: Everyone who may read an entry (docs/rights.md).
ROUTES = (*PRESENT_ROUTES, *FORMER_ROUTES)
