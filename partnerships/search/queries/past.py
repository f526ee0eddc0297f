"""What people of former parties and owners still find: by the title that it had when they left."""

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

#: At most this many of each; they are few. Of what was typed, this many words count.
_MAX_RESULTS, _MAX_WORDS = 10, 6


@dataclass(frozen=True, slots=True)
class Left:
    """A partnership or plan as it was when the person's organisation left."""

    title: str
    href: str
    kind: str


def departures_lookup(user: User) -> Lookup:
    """What `left_behind` asks first."""
    return lookup(_departures, user)


def left_behind(user: User, text: str) -> tuple[Left, ...]:
    """Partnerships and plans that the person reads only as they were, whose words then hold every word."""
    if not rows_for(_departures, user):
        return ()
    partnerships = find_left_behind(user, text)[:_MAX_RESULTS]
    ids = rows_for(_plans_then, user, *text.split()[:_MAX_WORDS])
    plans = as_read_by(user, Plan.objects.filter(pk__in=ids).order_by("title", "pk"))
    return (
        *(Left(one.title, one.get_absolute_url(), "Partnership") for one in partnerships),
        *(Left(one.title, one.get_absolute_url(), "Plan") for one in plans),
    )


def _departures(user: User) -> QuerySet[Any, int]:
    """Rows if an organisation of the person left a partnership or plan, or a plan left a partnership of theirs."""
    mine = among("organisation", Membership.objects.organisations_of(user))
    parties = Party.objects.filter(mine)
    left = parties.filter(status__in=FORMER_STATUSES)
    owned = PlanOwner.ever.filter(mine, ended_at__isnull=False)
    behind = PastPartnership.objects.filter(partnership__in=parties.values("partnership"))
    return left.values_list("pk", flat=True)[:1].union(
        owned.values_list("pk", flat=True)[:1], behind.values_list("pk", flat=True)[:1], all=True
    )


def _plans_then(user: User, *words: str) -> QuerySet[Plan, int]:
    titled = Q()
    for word in words:
        titled &= Q(title__icontains=word)
    found = Plan.objects.visible_to(user).filter(titled_then(user, titled))
    return found.order_by("title", "pk").values_list("pk", flat=True)[:_MAX_RESULTS]
