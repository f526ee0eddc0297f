"""What happens to followers and invited stakeholders when an organisation ends and another succeeds it.

Live subscriptions pass to the successor. Ended ones stay as they are.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.digests.models import Subscription, SubscriptionStatus
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import Column, HeldRecord, Obligation, RecordMove, register_obligation


def _end(move: RecordMove) -> dict[str, Any]:
    """Return the new values of a subscription if the same person already follows the successor. It ends."""
    return {"status": SubscriptionStatus.ENDED.value, "ended_at": move.now, "reason": move.reason[:300]}


def _live_subscriptions(organisation: Organisation, _day: dt.date) -> QuerySet[Subscription]:
    """Return the live subscriptions of the organisation's followers."""
    return Subscription.objects.live().filter(organisation=organisation).select_related("person")


def _live_invitations(organisation: Organisation, _day: dt.date) -> QuerySet[Subscription]:
    """Return the live subscriptions of stakeholders whom the organisation asked."""
    return Subscription.objects.live().filter(added_for=organisation)


def _describe(subscription: Subscription, _organisation: Organisation) -> HeldRecord:
    """Return the description of a subscription for lists, without the follower's name."""
    title = f"Subscription {subscription.pk}"
    return HeldRecord(pk=subscription.pk, title=title, what=str(subscription.get_status_display()), generic_title=title)


FOLLOWERS = Obligation(
    code="followers",
    label="People who follow it",
    columns=(Column("digests.Subscription.organisation", only=~Q(status=SubscriptionStatus.ENDED), end_values=_end),),
    records=_live_subscriptions,
    describe=_describe,
)
STAKEHOLDERS = Obligation(
    code="stakeholders",
    label="Stakeholders it asked",
    columns=(Column("digests.Subscription.added_for"),),
    records=_live_invitations,
    describe=_describe,
)


def register() -> None:
    """Register followers and invited stakeholders."""
    register_obligation(FOLLOWERS)
    register_obligation(STAKEHOLDERS)
