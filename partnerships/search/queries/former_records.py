"""Searches partnerships and plans that the person's organisation has left, by their titles at that time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.agreements.models import FORMER_STATUSES, Party
from partnerships.agreements.queries import find_former_partnerships
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import PastPartnership, Plan, PlanOwner
from partnerships.plans.queries import condition_on_past_title, plans_as_read_by

#: Limit of partnerships, and of plans.
_MAX_RESULTS = 10
#: Limit of words. Plans are searched for the first words only.
_MAX_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerRecord:
    """A partnership or plan that the person's organisation has left, with its title at that time."""

    title: str
    href: str
    kind: str


def departures_lookup(user: User) -> Lookup:
    """Return the query by which `former_records` finds out whether there may be any, to send it with other queries."""
    return lookup(_departures, user)


def former_records(user: User, text: str) -> tuple[FormerRecord, ...]:
    """Return the partnerships and plans that the person's organisation has left, with every word in the title."""
    has_left_anything = bool(rows_for(_departures, user))
    if not has_left_anything:
        return ()
    partnerships = find_former_partnerships(user, text)[:_MAX_RESULTS]
    plan_ids = rows_for(_former_plan_ids, user, *text.split()[:_MAX_WORDS])
    plans = plans_as_read_by(user, Plan.objects.filter(pk__in=plan_ids).order_by("title", "pk"))
    return (
        *(
            FormerRecord(title=partnership.title, href=partnership.get_absolute_url(), kind="Partnership")
            for partnership in partnerships
        ),
        *(FormerRecord(title=plan.title, href=plan.get_absolute_url(), kind="Plan") for plan in plans),
    )


def _departures(user: User) -> QuerySet[Any, int]:
    """Return whether the person's organisations have left anything, as up to three ids. Most people have none.

    The ids are those of a party that ended, an owner that ended, and a plan that left one of their partnerships.
    """
    own_organisations = id_is_among("organisation", Membership.objects.organisations_of(user))
    parties = Party.objects.filter(own_organisations)
    former_parties = parties.filter(status__in=FORMER_STATUSES)
    former_owners = PlanOwner.ever.filter(own_organisations, ended_at__isnull=False)
    moved_plans = PastPartnership.objects.filter(partnership__in=parties.values("partnership"))
    return former_parties.values_list("pk", flat=True)[:1].union(
        former_owners.values_list("pk", flat=True)[:1], moved_plans.values_list("pk", flat=True)[:1], all=True
    )


def _former_plan_ids(user: User, *words: str) -> QuerySet[Plan, int]:
    """Return ids of plans that the person may read only as they were, with every word in the title at that time."""
    has_every_word = Q()
    for word in words:
        has_every_word &= Q(title__icontains=word)
    plans = Plan.objects.visible_to(user).filter(condition_on_past_title(user, has_every_word))
    return plans.order_by("title", "pk").values_list("pk", flat=True)[:_MAX_RESULTS]
