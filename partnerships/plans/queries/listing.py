"""Plans in lists, with what each waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, When

from partnerships.people.models import User
from partnerships.plans.models import Plan, Status
from partnerships.plans.queries.signing import signing_states_of
from partnerships.plans.queries.waiting import Turn, waiting_on


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan in a list, with whom it waits on: said to readers of class inside alone."""

    plan: Plan
    turns: tuple[Turn, ...]


def with_turns(user: User, plans: Iterable[Plan]) -> list[Listed]:
    """The plans, which came `for_listing`, each with whom it waits on as far as the person may know, in a few queries
    however many there are."""
    plans = list(plans)
    open_ones = [plan.pk for plan in plans if not plan.is_over]
    inside = (
        set(Plan.objects.insiders_are(user).filter(pk__in=open_ones).values_list("pk", flat=True))
        if open_ones
        else set()
    )
    awaiting = [plan for plan in plans if plan.is_awaiting_sign_off and plan.pk in inside]
    states = signing_states_of(awaiting) if awaiting else {}
    return [
        Listed(plan, tuple(waiting_on(plan, states.get(plan.pk, []))) if plan.pk in inside else ()) for plan in plans
    ]


#: What waits for signatures comes first, then what waits for its signatories to be chosen, then drafts.
_PRESSING = Case(When(status=Status.AWAITING_SIGN_OFF, then=0), When(status=Status.SHARED, then=1), default=2)


def plans_that_wait(user: User, limit: int, partnership: int | None = None) -> list[Listed]:
    """Plans that wait on somebody, as far as the person is inside and sees them: of one partnership, or all."""
    waiting = (Status.DRAFT, Status.SHARED, Status.AWAITING_SIGN_OFF)
    seen = Plan.objects.visible_to(user).filter(pk__in=Plan.objects.insiders_are(user).values("pk"))
    if partnership is not None:
        seen = seen.filter(partnership=partnership)
    plans = Plan.objects.filter(pk__in=seen.filter(status__in=waiting).values("pk")).for_listing()
    return [one for one in with_turns(user, plans.order_by(_PRESSING, "-pk")[:limit]) if one.turns]
