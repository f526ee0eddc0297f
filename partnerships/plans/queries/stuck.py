"""Plans that are stuck, for facilitators and leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.stuck import Stuck
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.queries.signing import signing_states_of

#: Days after which a signature that was asked for counts as stuck.
UNSIGNED_DAYS = 14


def unsigned_plans(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Plans of these partnerships that have waited two weeks for a signature.

    One line for each signatory.
    """
    plans = list(
        Plan.objects.inside_for(user).awaiting_sign_off().filter(partnership__in=partnerships).order_by("title", "pk")
    )
    old = now - dt.timedelta(days=UNSIGNED_DAYS)
    return [
        Stuck(
            partnership=state.signatory.plan.partnership_id or 0,
            what="Plan not signed",
            title=state.signatory.plan.title,
            path=state.signatory.plan.get_absolute_url(),
            since=timezone.localdate(state.signatory.asked_at),
            waits_for=state.signatory.organisation.display_name,
        )
        for states in (signing_states_of(plans) if plans else {}).values()
        for state in states
        if not state.is_settled and state.signatory.asked_at <= old
    ]
