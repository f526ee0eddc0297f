"""Recording events of subscriptions, and refusing changes their status does not allow."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Subscription
from partnerships.people.models import User


class UnableToChangeSubscription(Exception):
    """Its status has changed, it may no longer be read, or the choice is invalid."""


def status_changed(subscription: Subscription) -> UnableToChangeSubscription:
    """The error for a subscription whose status has changed in the meantime."""
    return UnableToChangeSubscription(f"The status is now “{subscription.get_status_display()}”.")


def note(subscription: Subscription, event: EventKind, *, author: User | None, now: dt.datetime, **data: Any) -> None:
    """Record an event of a subscription, for the organisation that asked for it."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=subscription.added_for_id,
        kind=event,
        target_kind="subscription",
        target_id=subscription.pk,
        within_kind=subscription.target_kind,
        within_id=subscription.plan_id or subscription.partnership_id or subscription.organisation_id,
        now=now,
        data=data,
    )
