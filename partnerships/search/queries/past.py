"""Search in partnerships and plans that the person's organisation has left, by their titles at that time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.agreements.models import FORMER_STATUSES, Party
from partnerships.agreements.queries import find_left_behind
from partnerships.organisations.holdings import among
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import PastPartnership, Plan, PlanOwner
from partnerships.plans.queries import as_read_by, titled_then

#: Maximum partnerships, and maximum plans.
_MAX_RESULTS = 10
#: Plans are searched for the first words only.
_MAX_WORDS = 6


@dataclass(frozen=True, slots=True)
class Left:
    """A partnership or plan as it was when the person's organisation left."""

    title: str
    href: str
    kind: str


def departures_lookup(user: User) -> Lookup:
    """The first query of `left_behind`, to be sent together with others."""
    return lookup(_departures, user)


def left_behind(user: User, text: str) -> tuple[Left, ...]:
    """Partnerships and plans that the person's organisation has left.

    As they were then, if they had every word of the text.
    """
    if not rows_for(_departures, user):
        return ()
    partnerships = find_left_behind(user, text)[:_MAX_RESULTS]
    plan_ids = rows_for(_plans_then, user, *text.split()[:_MAX_WORDS])
    plans = as_read_by(user, Plan.objects.filter(pk__in=plan_ids).order_by("title", "pk"))
    return (
        *(Left(partnership.title, partnership.get_absolute_url(), "Partnership") for partnership in partnerships),
        *(Left(plan.title, plan.get_absolute_url(), "Plan") for plan in plans),
    )


def _departures(user: User) -> QuerySet[Any, int]:
    """Up to three rows: whether there can be anything to find.

    A party that left, an owner that left, a plan that left a partnership of theirs. Most people have none.
    """
    mine = among("organisation", Membership.objects.organisations_of(user))
    parties = Party.objects.filter(mine)
    former_parties = parties.filter(status__in=FORMER_STATUSES)
    former_owners = PlanOwner.ever.filter(mine, ended_at__isnull=False)
    moved_plans = PastPartnership.objects.filter(partnership__in=parties.values("partnership"))
    return former_parties.values_list("pk", flat=True)[:1].union(
        former_owners.values_list("pk", flat=True)[:1], moved_plans.values_list("pk", flat=True)[:1], all=True
    )


def _plans_then(user: User, *words: str) -> QuerySet[Plan, int]:
    """Ids of plans that the person may read only as they were, with every word in the title at that time."""
    titled = Q()
    for word in words:
        titled &= Q(title__icontains=word)
    plans = Plan.objects.visible_to(user).filter(titled_then(user, titled))
    return plans.order_by("title", "pk").values_list("pk", flat=True)[:_MAX_RESULTS]
