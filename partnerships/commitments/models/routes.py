"""The organisations whose people may read, must confirm or must verify a commitment.

`visible_to`, `readers_of` and the SQL of digests are composed from these routes. A route is a path from a commitment to
an organisation. It may have a condition, and may be limited to some roles.
"""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q

from partnerships.activity.models import Event
from partnerships.agreements.models import FORMER_STATUSES, PEOPLE_OF_PRESENT_PARTIES
from partnerships.commitments.models.choices import Kind
from partnerships.organisations.audience import Organisations, Route
from partnerships.organisations.models import EDITING_ROLES, Role

_PARTY = "partnership__parties"
#: People of the giver, the receiver and the parties of the commitment's partnership (docs/rights.md).
PRESENT_ROUTES: tuple[Route, ...] = (
    Organisations("giver"),
    Organisations("receiver"),
    PEOPLE_OF_PRESENT_PARTIES,
)
#: Events on a commitment after a party left its partnership.
_EVENTS_SINCE_LEAVING = Event.objects.filter(
    target_kind="commitment", target_id=OuterRef("pk"), at__gt=OuterRef(f"{_PARTY}__left_at")
)
#: The same people and those of former parties. They may read a commitment that has had no event since the party left.
ROUTES: tuple[Route, ...] = (
    *PRESENT_ROUTES,
    Organisations(
        f"{_PARTY}__organisation",
        when=Q(**{f"{_PARTY}__status__in": FORMER_STATUSES})
        & Q(proposed_at__lte=F(f"{_PARTY}__left_at"))
        & ~Q(Exists(_EVENTS_SINCE_LEAVING)),
    ),
)
#: Leads of the giver and of the receiver must confirm, unless somebody has confirmed for their organisation already.
CONFIRMERS = (
    Organisations("giver", when=Q(giver_confirmed_at=None), roles=(Role.LEAD,)),
    Organisations("receiver", when=Q(receiver_confirmed_at=None), roles=(Role.LEAD,)),
)
#: Leads of the receiver must verify a commitment.
VERIFIERS = (Organisations("receiver", when=Q(kind=Kind.COMMITMENT), roles=(Role.LEAD,)),)
#: Editors and leads of the receiver must verify an action. If it has no receiver, those of the giver must.
ACTION_VERIFIERS = (
    Organisations("receiver", when=Q(kind=Kind.ACTION), roles=EDITING_ROLES),
    Organisations("giver", when=Q(kind=Kind.ACTION, receiver=None), roles=EDITING_ROLES),
)
