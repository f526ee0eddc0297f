"""How plans reach their readers: the routes from which `visible_to`, `readers_of` and the digests' SQL are made."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.models import PartyStatus
from partnerships.organisations.audience import Network, Organisations, People, Route
from partnerships.organisations.models import EDITING_ROLES
from partnerships.plans.models.states import OVER, WIDER_THAN_OWNERS, WIDER_THAN_PARTNERSHIP

#: To everybody who acts for a present owner.
_OWNING = Organisations("owners__organisation", when=Q(owners__ended_at=None))
#: The same, of plans that are published.
OWNERS = replace(_OWNING, when=_OWNING.when & Q(current_number__gt=0))
LEADS = replace(_OWNING, roles=("lead",))
DRAFTERS = replace(_OWNING, roles=EDITING_ROLES)


def drafters_of(prefix: str) -> Organisations:
    """The route to those who may change the draft, from a record that has its plan under `prefix` ("plan__")."""
    return Organisations(f"{prefix}{DRAFTERS.path}", when=Q(**{f"{prefix}owners__ended_at": None}), roles=EDITING_ROLES)


def is_open(now: dt.datetime) -> Q:
    """A plan with a version that is no longer under embargo."""
    return Q(current_number__gt=0, open_at__lte=now)


def _parties(opened: Q) -> Route:
    """To the present parties of plans of which `opened` is so, where the audience holds them."""
    return Organisations(
        "partnership__parties__organisation",
        when=opened & Q(audience__in=WIDER_THAN_OWNERS, partnership__parties__status=PartyStatus.ACCEPTED),
    )


def _network(opened: Q) -> Route:
    """To everyone signed in, likewise."""
    return Network(when=opened & Q(audience__in=WIDER_THAN_PARTNERSHIP))


def insider_routes() -> tuple[Route, ...]:
    """To the owners and the present parties, whatever is published."""
    parties = Organisations(
        "partnership__parties__organisation", when=Q(partnership__parties__status=PartyStatus.ACCEPTED)
    )
    return _OWNING, parties


def inside_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Readers of class *inside*: people of the owner organisations and of present parties."""
    return OWNERS, _parties(is_open(now))


def present_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Readers of whatever is published from now on: inside and the network, without those who left."""
    return *inside_routes(now), _network(is_open(now))


def published_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Readers of a published version by an account: inside, those who left for what they held, the network."""
    return *present_routes(now), *_former_routes(now)


def routes_once_open() -> tuple[Route, ...]:
    """The same for plans of which nothing is open yet: whom their next version will reach."""
    return _OWNING, _parties(Q()), _network(Q())


def _former_routes(now: dt.datetime) -> tuple[Route, ...]:
    """To former parties, to former owners, and to the parties of a partnership that the plan has left."""
    opened = is_open(now)
    party = Q(
        audience__in=WIDER_THAN_OWNERS,
        partnership__parties__status=PartyStatus.LEFT,
        open_at__lte=F("partnership__parties__left_at"),
    )
    owner = Q(first_published_at__lte=F("owners__ended_at"))
    place, parties = "past_partnerships", "past_partnerships__partnership__parties"
    stayed = Q(**{f"{parties}__status": PartyStatus.ACCEPTED}) | Q(
        **{f"{parties}__status": PartyStatus.LEFT, "open_at__lte": F(f"{parties}__left_at")}
    )
    left_behind = Q(**{f"{place}__audience__in": WIDER_THAN_OWNERS, "open_at__lte": F(f"{place}__left_at")})
    return (
        Organisations("partnership__parties__organisation", when=opened & party),
        Organisations("owners__organisation", when=opened & owner),
        Organisations(f"{parties}__organisation", when=opened & left_behind & stayed),
    )


def showing_stands(now: dt.datetime, *, share: str, plan: str) -> Q:
    """The condition under which a draft is shown to somebody by name: `share` and `plan` are the lookups to each.

    Neither taken back nor past its last day; the person still acts for the organisation as one of which they were
    shown it, and the organisation that shows it still owns the plan.
    """
    today = timezone.localdate(now)
    acts = f"{share}person__memberships"
    return (
        Q(**{f"{share}revoked_at": None})
        & (Q(**{f"{share}ends_on": None}) | Q(**{f"{share}ends_on__gte": today}))
        & Q(
            **{
                f"{acts}__organisation": F(f"{share}organisation"),
                f"{acts}__accepted_at__isnull": False,
                f"{acts}__starts_on__lte": today,
                f"{share}person__is_active": True,
            }
        )
        & (Q(**{f"{acts}__ends_on": None}) | Q(**{f"{acts}__ends_on__gt": today}))
        & Q(**{f"{plan}owners__organisation": F(f"{share}shown_for"), f"{plan}owners__ended_at": None})
    )


def draft_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Readers of the draft: editors and leads of its owners, and people it is shared with by name, until the end."""
    shown = showing_stands(now, share="shares__", plan="") & ~Q(status__in=OVER)
    return DRAFTERS, People("shares__person", when=shown)
