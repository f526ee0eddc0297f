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
        """Return the owners that the reader may see, oldest first.

        If the reader's organisation has left the plan, these are the owners at that time.
        """
        return owners_by_age(self.plan)


def listed_plans(user: User, plans: Iterable[Plan]) -> list[ListedPlan]:
    """Return the plans of a list with their next steps, and with the names that the owners had at publication.

    Fetch the plans with `for_listing`.
    """
    listed_plans = listed_with_next_steps(user, plans)
    # This changes the names in the fetched objects. The next steps contain the present names, so they are made first.
    set_owner_names_of_day(listed.plan for listed in listed_plans)
    return listed_plans


def listed_with_next_steps(user: User, plans: Iterable[Plan]) -> list[ListedPlan]:
    """Return the plans of a list with their next steps.

    Only people of owners and present parties see next steps. Fetch the plans with `for_listing`. The number of
    queries does not depend on the number of plans.
    """
    plans = list(plans)
    plan_ids = [plan.pk for plan in plans if not plan.is_over]
    insider_plan_ids = set(rows_for(_plan_ids_of_insider, user, plan_ids)) if plan_ids else set()
    return _with_next_steps(plans, insider_plan_ids)


def _plan_ids_of_insider(user: User, plan_ids: list[int]) -> QuerySet[Plan, int]:
    """Return the ids of those of the plans in which the person acts for an owner or a present party."""
    with for_a_few_records():
        insider_plans = Plan.objects.with_insider(user)
    return insider_plans.filter(id_is_among("pk", plan_ids)).values_list("pk", flat=True)


def _with_next_steps(plans: list[Plan], insider_plan_ids: Collection[int]) -> list[ListedPlan]:
    """Return all of the plans. Only those with an id in `insider_plan_ids` get their next steps."""
    awaiting_plans = [plan for plan in plans if plan.is_awaiting_sign_off and plan.pk in insider_plan_ids]
    states_by_pk = signing_states_of(awaiting_plans) if awaiting_plans else {}
    listed_plans = []
    for plan in plans:
        steps = next_steps(plan, states_by_pk.get(plan.pk, [])) if plan.pk in insider_plan_ids else []
        listed_plans.append(ListedPlan(plan=plan, steps=tuple(steps)))
    return listed_plans


#: Waiting plans are sorted by urgency. Plans awaiting sign-off come first, then plans without signatories, then drafts.
_URGENCY = Case(When(status=Status.AWAITING_SIGN_OFF, then=0), When(status=Status.SHARED, then=1), default=2)
#: The number of waiting plans that `waiting_plans` first checks for visibility. It is usually enough, because most
#: people may see most of these plans.
_BATCH_SIZE = 40


def waiting_plans(user: User, limit: int, partnership_id: int | None = None) -> list[ListedPlan]:
    """Return the most urgent plans that have a next step, for a person of an owner or a present party.

    At most `limit` plans are returned, from one partnership (its id) or from all.
    """
    partnerships = [] if partnership_id is None else [partnership_id]
    # The ids are fetched first. In one query, PostgreSQL would search all plans that the person may see.
    plan_ids = rows_for(_waiting_plan_ids, user, *partnerships, limit=_BATCH_SIZE)
    plans = rows_for(_visible_plans, user, plan_ids, limit=limit) if plan_ids else []
    may_have_more = len(plan_ids) == _BATCH_SIZE
    if len(plans) < limit and may_have_more:
        plan_ids = rows_for(_waiting_plan_ids, user, *partnerships, limit=None)
        plans = rows_for(_visible_plans, user, plan_ids, limit=limit)
    return [listed for listed in _with_next_steps(plans, set(plan_ids)) if listed.steps]


def waiting_plans_lookup(user: User, *partnership: int) -> Lookup:
    """Return the lookup that `waiting_plans` makes first, for `read_ahead`."""
    return lookup(_waiting_plan_ids, user, *partnership, limit=_BATCH_SIZE)


def _waiting_plan_ids(user: User, partnership_id: int | None = None, *, limit: int | None) -> QuerySet[Plan, int]:
    """Return the ids of plans that may wait for an organisation of the person, the most urgent first."""
    plans = Plan.objects.with_insider(user).filter(status__in=(Status.DRAFT, Status.SHARED, Status.AWAITING_SIGN_OFF))
    if partnership_id is not None:
        plans = plans.filter(partnership=partnership_id)
    return plans.order_by(_URGENCY, "-pk").values_list("pk", flat=True)[:limit]


def _visible_plans(user: User, plan_ids: list[int], *, limit: int) -> QuerySet[Plan]:
    """Return the plans with these ids that the person may see, the most urgent first."""
    with for_a_few_records():
        visible_plans = Plan.objects.visible_to(user)
    return visible_plans.filter(id_is_among("pk", plan_ids)).for_listing().order_by(_URGENCY, "-pk")[:limit]
