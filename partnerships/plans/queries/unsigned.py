"""Signatures on plans that have been outstanding for long, which facilitators and leads see as stuck."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.stuck import StuckRecord
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan, PlanQuerySet
from partnerships.plans.queries.signing import signing_states_of

#: A requested signature is stuck after this number of days.
UNSIGNED_DAYS = 14


def awaiting_plans(user: User, partnership_ids: list[int], now: dt.datetime) -> PlanQuerySet:
    """Return the plans of these partnerships that are waiting for signatures, by title."""
    plans = Plan.objects.fully_readable_by(user).awaiting_sign_off().filter(partnership__in=partnership_ids)
    return plans.order_by("title", "pk")


def unsigned_plans(user: User, partnership_ids: list[int], now: dt.datetime) -> list[StuckRecord]:
    """Return the signatories of these partnerships that were asked two weeks ago or earlier and have not signed."""
    plans = rows_for(awaiting_plans, user, partnership_ids, now)
    if not plans:
        return []
    latest_asked_at = now - dt.timedelta(days=UNSIGNED_DAYS)
    stuck_signatures = []
    for plan_states in signing_states_of(plans).values():
        for state in plan_states:
            signatory = state.signatory
            if state.is_settled or signatory.asked_at > latest_asked_at:
                continue
            stuck_signatures.append(
                StuckRecord(
                    partnership_id=signatory.plan.partnership_id or 0,
                    what="Plan not signed",
                    title=signatory.plan.title,
                    path=signatory.plan.get_absolute_url(),
                    since=timezone.localdate(signatory.asked_at),
                    waits_for=signatory.organisation.display_name,
                )
            )
    return stuck_signatures
