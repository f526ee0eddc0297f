"""What all changes of a subscription share: the event, and the refusal of what its state does not allow."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Subscription
from partnerships.people.models import User


class UnableToChangeSubscription(Exception):
    """It does not stand so any more, may no longer be read, or the choice is none of those there are."""


def as_it_stands(subscription: Subscription) -> UnableToChangeSubscription:
    """The refusal of what another page has made impossible meanwhile: how it stands."""
    return UnableToChangeSubscription(f"This is {subscription.get_status_display().lower()}: look again.")


def note(subscription: Subscription, event: EventKind, *, author: User | None, now: dt.datetime, **data: Any) -> None:
    """Write down what happened to a subscription, on behalf of the organisation that asked for it, if one did."""
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
