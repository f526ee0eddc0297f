"""Routes from plans to the people who may read them.

A route is a rule such as "people of a present party, if the plan is published and its audience includes them".
`visible_to`, `readers_of` and the SQL of digests are all built from these routes, so that they agree.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.models import FORMER_STATUSES, PEOPLE_OF_PRESENT_PARTIES, PartyStatus
from partnerships.organisations.audience import Network, Organisations, People, Route
from partnerships.organisations.models import EDITING_ROLES
from partnerships.plans.models.states import FINAL_STATUSES, WIDER_THAN_OWNERS, WIDER_THAN_PARTNERSHIP

#: People who act for a present owner.
_CURRENT_OWNERS = Organisations("owners__organisation", when=Q(owners__ended_at=None))
#: People who act for a present owner, if the plan is published.
OWNERS = replace(_CURRENT_OWNERS, when=_CURRENT_OWNERS.when & Q(current_number__gt=0))
#: Leads of a present owner.
LEADS = replace(_CURRENT_OWNERS, roles=("lead",))
#: Editors and leads of a present owner.
DRAFTERS = replace(_CURRENT_OWNERS, roles=EDITING_ROLES)


def drafters_of(prefix: str) -> Organisations:
    """Return the route from a record to the people who may edit the draft of its plan.

    `prefix` is the lookup from the record to the plan, for example "plan__".
    """
    return Organisations(f"{prefix}{DRAFTERS.path}", when=Q(**{f"{prefix}owners__ended_at": None}), roles=EDITING_ROLES)


def is_open(now: dt.datetime) -> Q:
    """Return the condition that a plan has a version that is not under embargo."""
    return Q(current_number__gt=0, open_at__lte=now)


def _parties(plan_condition: Q) -> Route:
    """Return the route to present parties, for plans that meet the condition and have them in their audience."""
    return Organisations(
        "partnership__parties__organisation",
        when=plan_condition & Q(audience__in=WIDER_THAN_OWNERS, partnership__parties__status=PartyStatus.ACCEPTED),
    )


def _network(plan_condition: Q) -> Route:
    """Return the route to everyone signed in, for plans that meet the condition and have them in their audience."""
    return Network(when=plan_condition & Q(audience__in=WIDER_THAN_PARTNERSHIP))


def insider_routes() -> tuple[Route, ...]:
    """Return routes to people of owners and present parties, whether the plan is published or not."""
    return _CURRENT_OWNERS, PEOPLE_OF_PRESENT_PARTIES


def inside_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Return routes to the readers inside, who are people of owners and of present parties."""
    return OWNERS, _parties(is_open(now))


def present_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Return routes to the people who could read a new version today. Organisations that left cannot."""
    return *inside_routes(now), _network(is_open(now))


def published_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Return routes to readers of any published version, including people of organisations that left."""
    return *present_routes(now), *former_routes(now)


def routes_once_open() -> tuple[Route, ...]:
    """Return routes to the people who will read a plan once it has an open version."""
    return _CURRENT_OWNERS, _parties(Q()), _network(Q())


def former_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Return routes to former parties and owners, and to parties of a partnership that the plan left.

    These organisations still read a plan that had an open version before they left the plan, or before the plan
    left their partnership.
    """
    is_open_plan = is_open(now)
    is_former_party = Q(
        audience__in=WIDER_THAN_OWNERS,
        partnership__parties__status__in=FORMER_STATUSES,
        open_at__lte=F("partnership__parties__left_at"),
    )
    # The second condition follows from the first. PostgreSQL needs it to estimate that there are few former owners.
    is_former_owner = Q(first_published_at__lte=F("owners__ended_at"), owners__ended_at__isnull=False)
    was_open_when_plan_left = Q(
        past_partnerships__audience__in=WIDER_THAN_OWNERS,
        open_at__lte=F("past_partnerships__left_at"),
    )
    was_party_then = Q(past_partnerships__partnership__parties__status=PartyStatus.ACCEPTED) | Q(
        past_partnerships__partnership__parties__status__in=FORMER_STATUSES,
        open_at__lte=F("past_partnerships__partnership__parties__left_at"),
    )
    return (
        Organisations("partnership__parties__organisation", when=is_open_plan & is_former_party),
        Organisations("owners__organisation", when=is_open_plan & is_former_owner),
        Organisations(
            "past_partnerships__partnership__parties__organisation",
            when=is_open_plan & was_open_when_plan_left & was_party_then,
        ),
    )


def is_active_share(now: dt.datetime, *, share: str, plan: str) -> Q:
    """Return the condition that a share is active. `share` and `plan` are the prefixes of lookups on each.

    A share is active under three conditions: it is neither revoked nor past its last day, the person still acts for its
    `organisation`, and the owner that shares the draft (`shown_for`) still owns the plan.
    """

    def condition(prefix: str, **lookups: Any) -> Q:
        return Q(**{f"{prefix}{lookup}": value for lookup, value in lookups.items()})

    today = timezone.localdate(now)
    membership, owner = f"{share}person__memberships__", f"{plan}owners__"
    has_not_ended = condition(share, revoked_at=None) & (
        condition(share, ends_on=None) | condition(share, ends_on__gte=today)
    )
    still_acts = (
        condition(share, person__is_active=True)
        & condition(membership, organisation=F(f"{share}organisation"), accepted_at__isnull=False, starts_on__lte=today)
        & (condition(membership, ends_on=None) | condition(membership, ends_on__gt=today))
    )
    still_owned = condition(owner, organisation=F(f"{share}shown_for"), ended_at=None)
    return has_not_ended & still_acts & still_owned


def draft_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Return routes to readers of the draft, who are its editors and the people with an active share."""
    has_active_share = is_active_share(now, share="shares__", plan="") & ~Q(status__in=FINAL_STATUSES)
    return DRAFTERS, People("shares__person", when=has_active_share)
