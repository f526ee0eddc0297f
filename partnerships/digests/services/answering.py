"""Services with which people confirm a subscription, refuse confirmation emails, or allow them again."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Preference, Subscription, SubscriptionOrigin, SubscriptionStatus
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import start_watermarks
from partnerships.digests.queries.naming import may_still_be_asked
from partnerships.digests.services.journal_lines import journal_refusal, journal_subscription
from partnerships.digests.services.recording import (
    UnableToChangeSubscription,
    lock_subscription,
    record_event,
    status_changed,
)
from partnerships.people.models import User
from partnerships.people.refusals import forget_refusal


@transaction.atomic
def confirm(*, subscription: Subscription, now: dt.datetime) -> Subscription:
    """Confirm a subscription, starting with the present versions. May run twice.

    Raises `UnableToChangeSubscription` if it has ended, is paused or suppressed, or its target may no longer be read.
    """
    lock_planning()
    subscription = lock_subscription(subscription)
    if subscription.is_ended:
        raise UnableToChangeSubscription(
            "This subscription has ended. Ask to be added again if you want these digests."
        )
    if subscription.is_waiting:
        if not may_still_be_asked(subscription, now):
            raise UnableToChangeSubscription(
                "You can no longer confirm. You, or the organisation that asked you, can no longer see what these "
                "digests are about."
            )
        mark_confirmed(subscription, author=subscription.person, now=now)
    elif not subscription.is_confirmed:
        raise status_changed(subscription)
    return subscription


def mark_confirmed(subscription: Subscription, *, author: User | None, now: dt.datetime) -> None:
    """Mark a locked subscription as confirmed, starting with the present versions."""
    subscription.status = SubscriptionStatus.CONFIRMED
    subscription.confirmed_at = now
    subscription.ended_at = None
    subscription.reason = ""
    subscription.refused_at = None
    subscription.save(update_fields=["status", "confirmed_at", "ended_at", "reason", "refused_at"])
    start_watermarks(subscriptions=[subscription.pk], now=now)
    journal_subscription(subscription, now=now, undone=True)
    if author == subscription.person and subscription.how == SubscriptionOrigin.SELF:
        # Only a person who asked for digests themselves withdraws their refusal of questions from partners.
        withdraw_refusal(subscription.person, now=now)
    record_event(subscription, EventKind.CONFIRMED, author=author, now=now)


@transaction.atomic
def refuse_questions(*, person: User, now: dt.datetime) -> None:
    """Refuse emails that others cause by entering the person's address; their subscriptions continue."""
    Preference.objects.filter(person=person).update(refused_at=now)
    journal_refusal(person, now=now)
    record(actor_id=person.pk, kind=EventKind.QUESTIONS_REFUSED, target_kind="person", target_id=person.pk, now=now)


@transaction.atomic
def allow_questions(*, person: User, now: dt.datetime) -> None:
    """Allow confirmation emails again, after the person refused them."""
    withdraw_refusal(person, now=now)
    record(actor_id=person.pk, kind=EventKind.QUESTIONS_ALLOWED, target_kind="person", target_id=person.pk, now=now)


def withdraw_refusal(person: User, *, now: dt.datetime) -> None:
    """Withdraw the person's refusal of confirmation emails, if any, because they have asked for an email."""
    had_refused_address = forget_refusal(person.email, now=now)
    had_refused = Preference.objects.filter(person=person, refused_at__isnull=False).update(refused_at=None)
    if had_refused or had_refused_address:
        journal_refusal(person, now=now, undone=True)
