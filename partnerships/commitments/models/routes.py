"""Routes from commitments to the people who may read them, and to those who must confirm or verify them.

`visible_to`, `readers_of` and the SQL of digests are built from these routes.
"""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q

from partnerships.activity.models import Event
from partnerships.agreements.models import FORMER_STATUSES, PEOPLE_OF_PRESENT_PARTIES
from partnerships.commitments.models.choices import Kind
from partnerships.organisations.audience import Organisations, Route
from partnerships.organisations.models import EDITING_ROLES, Role

_PARTY = "partnership__parties"
#: Present readers (docs/rights.md): the giver, the receiver and the parties of the commitment's partnership.
PRESENT_ROUTES: tuple[Route, ...] = (
    Organisations("giver"),
    Organisations("receiver"),
    PEOPLE_OF_PRESENT_PARTIES,
)
#: Events on a commitment after a party left its partnership.
_EVENTS_SINCE_LEAVING = Event.objects.filter(
    target_kind="commitment", target_id=OuterRef("pk"), at__gt=OuterRef(f"{_PARTY}__left_at")
)
#: All readers: also former parties of the partnership, unless the commitment has had an event since they left.
ROUTES: tuple[Route, ...] = (
    *PRESENT_ROUTES,
    Organisations(
        f"{_PARTY}__organisation",
        when=Q(**{f"{_PARTY}__status__in": FORMER_STATUSES})
        & Q(proposed_at__lte=F(f"{_PARTY}__left_at"))
        & ~Q(Exists(_EVENTS_SINCE_LEAVING)),
    ),
)
#: The people who must confirm: leads of a side that has not confirmed.
CONFIRMERS = (
    Organisations("giver", when=Q(giver_confirmed_at=None), roles=(Role.LEAD,)),
    Organisations("receiver", when=Q(receiver_confirmed_at=None), roles=(Role.LEAD,)),
)
#: The people who must verify: leads of the receiver of a commitment; for an action, editors and leads of the receiver
#: or, without a receiver, of the giver.
VERIFIERS = (Organisations("receiver", when=Q(kind=Kind.COMMITMENT), roles=(Role.LEAD,)),)
ACTION_VERIFIERS = (
    Organisations("receiver", when=Q(kind=Kind.ACTION), roles=EDITING_ROLES),
    Organisations("giver", when=Q(kind=Kind.ACTION, receiver=None), roles=EDITING_ROLES),
)
