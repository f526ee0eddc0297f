"""Services that end, pause and resume subscriptions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import MatchNotice, Preference, Subscription, SubscriptionStatus
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up, drop_unfollowed
from partnerships.digests.rights import Rights, may_stop_all_of, rights_over
from partnerships.digests.services.journal_lines import journal_matches, journal_refusal, journal_subscription
from partnerships.digests.services.recording import lock_subscription, record_event, status_changed
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people import refusals
from partnerships.people.models import User


@transaction.atomic
def stop(
    *,
    subscriptions: Iterable[Subscription],
    author: User | None,
    reason: str,
    now: dt.datetime,
    is_refusal: bool = True,
) -> int:
    """End subscriptions and their waiting news, and return how many ended.

    If a person ends their own subscription, that is a refusal: no partner may ask them again for some time. It is not a
    refusal if the subscription only moves to another address (`is_refusal=False`). An earlier refusal remains.
    """
    subscriptions = _lock(subscriptions)
    roles = roles_of(author, now)
    for subscription in subscriptions:
        require(Rights(subscription, roles).may_end)
    return end_subscriptions(subscriptions, author=author, reason=reason, now=now, is_refusal=is_refusal)


def _lock(subscriptions: Iterable[Subscription]) -> list[Subscription]:
    """Lock the rows of subscriptions in the order of their ids, and return the subscriptions as they are stored now."""
    subscription_ids = [subscription.pk for subscription in subscriptions]
    rows = Subscription.objects.select_for_update(of=("self",)).filter(pk__in=subscription_ids)
    return list(rows.select_related("person", "plan", "partnership", "organisation").order_by("pk"))


@transaction.atomic
def end_subscriptions(
    subscriptions: Iterable[Subscription],
    *,
    author: User | None,
    reason: str,
    now: dt.datetime,
    is_refusal: bool = True,
) -> int:
    """End subscriptions as part of another service, which has checked rights, and return how many ended."""
    running_subscriptions = [subscription for subscription in _lock(subscriptions) if not subscription.is_ended]
    for subscription in running_subscriptions:
        subscription.status = SubscriptionStatus.ENDED
        subscription.ended_at = now
        subscription.reason = reason[:300]
        if is_refusal and author is not None and author.pk == subscription.person_id:
            subscription.refused_at = now
        journal_subscription(subscription, now=now)
        subscription.save(update_fields=["status", "ended_at", "reason", "refused_at"])
        record_event(subscription, EventKind.ENDED, author=author, now=now, reason=reason)
    drop_unfollowed({subscription.person_id for subscription in running_subscriptions})
    return len(running_subscriptions)


@transaction.atomic
def stop_everything(*, person: User, author: User | None, reason: str, now: dt.datetime) -> int:
    """End all subscriptions and matches of a person, and return how many subscriptions ended.

    If the person does this themselves, they also refuse confirmation emails: entering their address on a public page
    sends them nothing from then on.
    """
    require(may_stop_all_of(person, roles_of(author, now)))

    MatchNotice.objects.filter(recipient=person, told_at=None).delete()
    new_values: dict[str, Any] = {"tells_matches": False}
    if author == person:
        new_values["refused_at"] = now
        journal_refusal(person, now=now)
    journal_matches(person, now=now)
    Preference.objects.update_or_create(person=person, defaults=new_values)
    live_subscriptions = Subscription.objects.live().filter(person=person)
    return end_subscriptions(live_subscriptions, author=author, reason=reason, now=now)


@transaction.atomic
def keep_refusal_of(*, address: str, person: User, now: dt.datetime) -> bool:
    """Store the hash of a person's old address if they have refused emails, and return whether they have.

    No person has the old address any more, so a refusal could not be found by that address. If the hash of their new
    address was stored after an earlier change, it is deleted, because the person is found by the new address.
    """
    if not refused_emails(person):
        return False
    refusals.store_refusal_of_address(address, now=now)
    refusals.forget_refusal(person.email, now=now)
    return True


def refused_emails(person: User) -> bool:
    """Return True if a person has refused emails about any target, or all confirmation emails."""
    return (
        Subscription.objects.filter(person=person, refused_at__isnull=False).exists()
        or Preference.objects.filter(person=person, refused_at__isnull=False).exists()
    )


@transaction.atomic
def pause(*, subscription: Subscription, author: User | None, now: dt.datetime) -> None:
    """Pause one subscription. Raises `UnableToChangeSubscription`."""
    _change_status(
        subscription,
        before=SubscriptionStatus.CONFIRMED,
        after=SubscriptionStatus.PAUSED,
        event=EventKind.PAUSED,
        author=author,
        now=now,
    )
    drop_unfollowed([subscription.person_id])


@transaction.atomic
def resume(*, subscription: Subscription, author: User | None, now: dt.datetime) -> None:
    """Resume one subscription. Raises `UnableToChangeSubscription`.

    Its next digest contains the news that it missed.
    """
    lock_planning()
    _change_status(
        subscription,
        before=SubscriptionStatus.PAUSED,
        after=SubscriptionStatus.CONFIRMED,
        event=EventKind.RESUMED,
        author=author,
        now=now,
    )
    catch_up(people=[subscription.person_id], now=now)


def _change_status(
    subscription: Subscription,
    *,
    before: SubscriptionStatus,
    after: SubscriptionStatus,
    event: EventKind,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Change the status if it is still the expected one. Raises `UnableToChangeSubscription`."""
    locked_subscription = lock_subscription(subscription)
    require(rights_over(locked_subscription, author, now).may_change)
    if locked_subscription.status != before:
        raise status_changed(locked_subscription)

    locked_subscription.status = after
    locked_subscription.save(update_fields=["status"])
    subscription.status = after
    record_event(subscription, event, author=author, now=now, before=before.value, after=after.value)
