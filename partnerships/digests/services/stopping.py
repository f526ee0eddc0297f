"""Ending, pausing and resuming subscriptions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import MatchNotice, Preference, Subscription, SubscriptionStatus
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up, drop_unfollowed
from partnerships.digests.rights import Rights, may_stop_all_of, rights_over
from partnerships.digests.services.noting import journal_matches, journal_refusal, journal_subscription
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
    """End subscriptions and drop what waits; return how many ended.

    Ending one's own subscription is a refusal, so nobody may ask again soon, unless it only moves to another address
    (`is_refusal=False`). An earlier refusal stays.
    """
    locked = _locked(subscriptions)
    roles = roles_of(author, now)
    for subscription in locked:
        require(Rights(subscription, roles).may_end)
    return end_subscriptions(locked, author=author, reason=reason, now=now, is_refusal=is_refusal)


def _locked(subscriptions: Iterable[Subscription]) -> list[Subscription]:
    rows = Subscription.objects.select_for_update(of=("self",))
    rows = rows.select_related("person", "plan", "partnership", "organisation")
    return list(rows.filter(pk__in=[subscription.pk for subscription in subscriptions]).order_by("pk"))


@transaction.atomic
def end_subscriptions(
    subscriptions: Iterable[Subscription],
    *,
    author: User | None,
    reason: str,
    now: dt.datetime,
    is_refusal: bool = True,
) -> int:
    """End subscriptions as part of another service, which checks rights."""
    ended = 0
    people: set[int] = set()
    for subscription in _locked(subscriptions):
        if subscription.is_ended:
            continue
        subscription.status, subscription.ended_at = SubscriptionStatus.ENDED, now
        subscription.reason = reason[:300]
        if is_refusal and author is not None and author.pk == subscription.person_id:
            subscription.refused_at = now
        journal_subscription(subscription, now=now)
        subscription.save(update_fields=["status", "ended_at", "reason", "refused_at"])
        record_event(subscription, EventKind.ENDED, author=author, now=now, reason=reason)
        people.add(subscription.person_id)
        ended += 1
    drop_unfollowed(people)
    return ended


@transaction.atomic
def stop_everything(*, person: User, author: User | None, reason: str, now: dt.datetime) -> int:
    """End all of a person's digests and matches; return how many ended.

    If they did so themselves, typing their address sends them nothing from now on.
    """
    require(may_stop_all_of(person, roles_of(author, now)))
    MatchNotice.objects.filter(recipient=person, told_at=None).delete()
    refused_at = {"refused_at": now} if author == person else {}
    if refused_at:
        journal_refusal(person, now=now)
    journal_matches(person, now=now)
    Preference.objects.update_or_create(person=person, defaults={"tells_matches": False, **refused_at})
    live = Subscription.objects.live().filter(person=person)
    return end_subscriptions(live, author=author, reason=reason, now=now)


@transaction.atomic
def keep_refusal_of(*, address: str, person: User, now: dt.datetime) -> bool:
    """Keep the hash of an address that a person gave up, if they had refused emails; whether they had.

    Nobody has the address any more whose refusal could be looked up. The hash of the address that they have now goes,
    if they had given that one up before: their own refusals say it.
    """
    if not refused_emails(person):
        return False
    refusals.keep_refusal_of(address, now=now)
    refusals.forget_refusal(person.email, now=now)
    return True


def refused_emails(person: User) -> bool:
    """Whether somebody refused emails about something, or all of them."""
    return (
        Subscription.objects.filter(person=person, refused_at__isnull=False).exists()
        or Preference.objects.filter(person=person, refused_at__isnull=False).exists()
    )


@transaction.atomic
def pause(*, subscription: Subscription, author: User | None, now: dt.datetime) -> None:
    """Pause one subscription. Raises `UnableToChangeSubscription`."""
    _change(subscription, SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED, EventKind.PAUSED, author, now)
    drop_unfollowed([subscription.person_id])


@transaction.atomic
def resume(*, subscription: Subscription, author: User | None, now: dt.datetime) -> None:
    """Resume one, with all it missed. Raises `UnableToChangeSubscription`."""
    lock_planning()
    _change(subscription, SubscriptionStatus.PAUSED, SubscriptionStatus.CONFIRMED, EventKind.RESUMED, author, now)
    catch_up(people=[subscription.person_id], now=now)


def _change(
    subscription: Subscription, before: str, after: str, event: EventKind, author: User | None, now: dt.datetime
) -> None:
    """Change the status if it is still the expected one."""
    locked = lock_subscription(subscription)
    require(rights_over(locked, author, now).may_change)
    if locked.status != before:
        raise status_changed(locked)
    subscription.status = locked.status = after
    locked.save(update_fields=["status"])
    record_event(subscription, event, author=author, now=now, before=before, after=after)
