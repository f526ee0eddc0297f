"""Plans in lists, each with its next steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Case, QuerySet, When

from partnerships.organisations.holdings import for_a_few_records, id_is_among
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan, PlanOwner, Status
from partnerships.plans.queries.owners import owners_by_age, set_owner_names_of_day
from partnerships.plans.queries.signing import signing_states_of
from partnerships.plans.queries.waiting import NextStep, next_steps


@dataclass(frozen=True, slots=True)
class ListedPlan:
    """A plan in a list, with its next steps if the reader may know them."""

    plan: Plan
    steps: tuple[NextStep, ...]

    @property
    def owners(self) -> list[PlanOwner]:
        """Return the plan's owners; for a reader whose organisation left, the owners on that day."""
        return owners_by_age(self.plan)


def listed_plans(user: User, plans: Iterable[Plan]) -> list[ListedPlan]:
    """Return the plans of a list with their next steps, and with the names that the owners had."""
    listed_plans = listed_with_next_steps(user, plans)
    # This comes after the next steps, which use the present names of the owners.
    set_owner_names_of_day(listed.plan for listed in listed_plans)
    return listed_plans


def listed_with_next_steps(user: User, plans: Iterable[Plan]) -> list[ListedPlan]:
    """Return the plans, with the next steps of those that the person reads inside.

    Fetch the plans with `for_listing`. The number of queries does not depend on the number of plans.
    """
    plans = list(plans)
    open_ids = [plan.pk for plan in plans if not plan.is_over]
    inside_ids = set(rows_for(_inside_ids_among, user, open_ids)) if open_ids else set()
    return _with_steps(plans, inside_ids)


def _inside_ids_among(user: User, plan_ids: list[int]) -> QuerySet[Plan, int]:
    """Return the ids of those plans that the person reads inside."""
    with for_a_few_records():
        inside = Plan.objects.with_insider(user)
    return inside.filter(id_is_among("pk", plan_ids)).values_list("pk", flat=True)


def _with_steps(plans: list[Plan], inside_ids: Collection[int]) -> list[ListedPlan]:
    """Return the plans, with the next steps of those whose ids are in `inside_ids`."""
    awaiting_plans = [plan for plan in plans if plan.is_awaiting_sign_off and plan.pk in inside_ids]
    states_by_pk = signing_states_of(awaiting_plans) if awaiting_plans else {}
    listed_plans = []
    for plan in plans:
        steps = next_steps(plan, states_by_pk.get(plan.pk, [])) if plan.pk in inside_ids else []
        listed_plans.append(ListedPlan(plan=plan, steps=tuple(steps)))
    return listed_plans


#: The order of waiting plans: first plans awaiting sign-off, then plans whose signatories must be chosen, then drafts.
_URGENCY = Case(When(status=Status.AWAITING_SIGN_OFF, then=0), When(status=Status.SHARED, then=1), default=2)
#: How many waiting plans are checked first. This is usually enough, because most people may see most of the plans.
_FIRST = 40


def waiting_plans(user: User, limit: int, partnership: int | None = None) -> list[ListedPlan]:
    """Return plans that the person reads inside and that have a next step, the most urgent first."""
    partnerships = [] if partnership is None else [partnership]
    # Fetch the ids first: in one query, PostgreSQL would search all plans that the person may see.
    ids = rows_for(_waiting_ids, user, *partnerships, first=_FIRST)
    plans = rows_for(_visible_plans, user, ids, limit=limit) if ids else []
    may_have_more = len(ids) == _FIRST
    if len(plans) < limit and may_have_more:
        ids = rows_for(_waiting_ids, user, *partnerships, first=None)
        plans = rows_for(_visible_plans, user, ids, limit=limit)
    return [listed for listed in _with_steps(plans, set(ids)) if listed.steps]


def waiting_plans_lookup(user: User, *partnership: int) -> Lookup:
    """Return the first lookup that `waiting_plans` makes, for `read_ahead`."""
    return lookup(_waiting_ids, user, *partnership, first=_FIRST)


def _waiting_ids(user: User, partnership: int | None = None, *, first: int | None) -> QuerySet[Plan, int]:
    """Return the ids of waiting plans that the person reads inside: the `first` most urgent, or all."""
    plans = Plan.objects.with_insider(user).filter(status__in=(Status.DRAFT, Status.SHARED, Status.AWAITING_SIGN_OFF))
    if partnership is not None:
        plans = plans.filter(partnership=partnership)
    return plans.order_by(_URGENCY, "-pk").values_list("pk", flat=True)[:first]


def _visible_plans(user: User, ids: list[int], *, limit: int) -> QuerySet[Plan]:
    """Return the plans with these ids that the person may see, the most urgent first."""
    with for_a_few_records():
        visible = Plan.objects.visible_to(user)
    return visible.filter(id_is_among("pk", ids)).for_listing().order_by(_URGENCY, "-pk")[:limit]
