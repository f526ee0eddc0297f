"""Locks a subscription, and records its events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Subscription
from partnerships.people.models import User


class UnableToChangeSubscription(Exception):
    """The status has changed, access was lost, or the choice is invalid."""


def lock_subscription(subscription: Subscription) -> Subscription:
    """Lock the row of a subscription, and return the subscription as it is stored now."""
    return Subscription.objects.select_for_update(of=("self",)).for_listing().get(pk=subscription.pk)


def status_changed(subscription: Subscription) -> UnableToChangeSubscription:
    """Return the error for a subscription whose status has changed since the page was opened."""
    status = subscription.get_status_display()
    return UnableToChangeSubscription(
        f"This subscription changed in the meantime. Its status is now “{status}”. Check it and try again."
    )


def record_event(
    subscription: Subscription, event: EventKind, *, author: User | None, now: dt.datetime, **data: Any
) -> None:
    """Record an event of a subscription within its target, for the organisation that asked the person."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=subscription.added_for_id,
        kind=event,
        target_kind="subscription",
        target_id=subscription.pk,
        within_kind=subscription.target_kind,
        within_id=subscription.target_id,
        now=now,
        data=data,
    )
