"""Plans in lists, with what each is waiting for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Case, QuerySet, When

from partnerships.organisations.holdings import among, one_by_one
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan, PlanOwner, Status
from partnerships.plans.queries.owners import name_owners_as_at, owners_of
from partnerships.plans.queries.signing import signing_states_of
from partnerships.plans.queries.waiting import NextStep, next_steps


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan in a list, with what it is waiting for.

    Only readers inside see that.
    """

    plan: Plan
    steps: tuple[NextStep, ...]

    @property
    def owners(self) -> list[PlanOwner]:
        """Its owners; for a reader who left, those of that day."""
        return owners_of(self.plan)


def as_listed(user: User, plans: Iterable[Plan]) -> list[Listed]:
    """The plans of a list, with what each is waiting for and the names that its owners had; one query more."""
    listed = with_next_steps(user, plans)
    name_owners_as_at(row.plan for row in listed)  # after the steps, which name who acts now
    return listed


def with_next_steps(user: User, plans: Iterable[Plan]) -> list[Listed]:
    """The plans with what each is waiting for, as far as the person may know.

    Fetch the plans with `for_listing`. The number of queries does not depend on the number of plans.
    """
    plans = list(plans)
    open_ones = [plan.pk for plan in plans if not plan.is_over]
    inside = set(rows_for(_inside_among, user, open_ones)) if open_ones else set()
    return _with_steps(plans, inside)


def _inside_among(user: User, plans: list[int]) -> QuerySet[Plan, int]:
    with one_by_one():
        inside = Plan.objects.with_insider(user)
    return inside.filter(among("pk", plans)).values_list("pk", flat=True)


def _with_steps(plans: list[Plan], inside: Collection[int]) -> list[Listed]:
    """The plans, with the steps of those that the person knows from inside (ids)."""
    awaiting = [plan for plan in plans if plan.is_awaiting_sign_off and plan.pk in inside]
    states = signing_states_of(awaiting) if awaiting else {}
    steps = [tuple(next_steps(plan, states.get(plan.pk, []))) if plan.pk in inside else () for plan in plans]
    return [Listed(plan, plan_steps) for plan, plan_steps in zip(plans, steps, strict=True)]


#: Plans awaiting sign-off first, then those whose signatories must be chosen, then drafts.
_PRESSING = Case(When(status=Status.AWAITING_SIGN_OFF, then=0), When(status=Status.SHARED, then=1), default=2)


def waiting_plans(user: User, limit: int, partnership: int | None = None) -> list[Listed]:
    """Plans that are waiting for somebody, that the person reads inside."""
    partnerships = [] if partnership is None else [partnership]
    for first in (_FIRST, None):
        # As ids: PostgreSQL would otherwise search all plans that the person may see.
        ids = rows_for(_waiting_within, user, *partnerships, first=first)
        plans = rows_for(_waiting, user, ids, limit=limit) if ids else []
        if len(plans) == limit or len(ids) != first:
            break
    return [step for step in _with_steps(plans, set(ids)) if step.steps]


def waiting_plans_lookup(user: User, *partnership: int) -> Lookup:
    """What `waiting_plans` is going to ask first, for `read_ahead`."""
    return lookup(_waiting_within, user, *partnership, first=_FIRST)


#: This many plans that wait are checked first: of thousands, most people may see most.
_FIRST = 40


def _waiting_within(user: User, partnership: int | None = None, *, first: int | None) -> QuerySet[Plan, int]:
    """Ids of plans that wait, and that the person reads inside: the `first`, or all."""
    inside = Plan.objects.with_insider(user).filter(status__in=(Status.DRAFT, Status.SHARED, Status.AWAITING_SIGN_OFF))
    if partnership is not None:
        inside = inside.filter(partnership=partnership)
    return inside.order_by(_PRESSING, "-pk").values_list("pk", flat=True)[:first]


def _waiting(user: User, ids: list[int], *, limit: int) -> QuerySet[Plan]:
    """The plans that the person may see, the most pressing first."""
    with one_by_one():
        seen = Plan.objects.visible_to(user)
    return seen.filter(among("pk", ids)).for_listing().order_by(_PRESSING, "-pk")[:limit]
