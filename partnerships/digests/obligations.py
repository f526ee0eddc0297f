"""Hands over the followers of an organisation, and the stakeholders that it asked, in a succession."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from partnerships.digests.models import Subscription, SubscriptionStatus
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import Column, HeldRecord, Obligation, RecordMove, register_obligation


def _end(move: RecordMove) -> dict[str, Any]:
    """Return the fields of a subscription that ends with its organisation."""
    return {"status": SubscriptionStatus.ENDED.value, "ended_at": move.now, "reason": move.reason[:300]}


def _as_line(subscription: Subscription, _: Organisation) -> HeldRecord:
    """Return a subscription as a line of a handover, without the follower's name."""
    title = f"Subscription {subscription.pk}"
    return HeldRecord(subscription.pk, title, "", str(subscription.get_status_display()), generic_title=title)


FOLLOWERS = Obligation(
    "followers",
    "People who follow it",
    (Column("digests.Subscription.organisation", only=~Q(status=SubscriptionStatus.ENDED), end_values=_end),),
    lambda organisation, _: Subscription.objects.live().filter(organisation=organisation).select_related("person"),
    _as_line,
)
STAKEHOLDERS = Obligation(
    "stakeholders",
    "Stakeholders it asked",
    (Column("digests.Subscription.added_for"),),
    lambda organisation, _: Subscription.objects.live().filter(added_for=organisation),
    _as_line,
)


def register() -> None:
    """Register both obligations."""
    register_obligation(FOLLOWERS)
    register_obligation(STAKEHOLDERS)
