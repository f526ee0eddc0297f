"""What somebody says to being asked: yes to one thing, no to all questions, or that questions may come again."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import How, Preference, Subscription, SubscriptionStatus
from partnerships.digests.planning.watermarks import lock_planning, start_watermarks
from partnerships.digests.queries.naming import may_still_be_asked
from partnerships.digests.services.recording import UnableToChangeSubscription, as_it_stands, note
from partnerships.digests.services.stopping import REFUSED, REFUSED_ALL
from partnerships.kit import journal
from partnerships.people.models import User
from partnerships.people.refusals import forget_refusal


@transaction.atomic
def confirm(*, subscription: Subscription, now: dt.datetime) -> Subscription:
    """The person says yes, by their own link or signed in; counts as told of the present versions. Twice is as good as
    once.

    Raises `UnableToChangeSubscription` when it was ended, paused or stopped meanwhile, or may no longer be read.
    """
    lock_planning()
    locked = Subscription.objects.select_for_update(of=("self",)).for_listing().get(pk=subscription.pk)
    if locked.is_ended:
        raise UnableToChangeSubscription("This was ended, and nothing is sent. Ask to be added again if you want it.")
    if locked.is_waiting:
        if not may_still_be_asked(locked, now):
            raise UnableToChangeSubscription("It is no longer open to you, or to whoever asked: nothing is sent.")
        take_as_confirmed(locked, author=locked.person, now=now)
    elif not locked.is_confirmed:
        raise as_it_stands(locked)
    return locked


def take_as_confirmed(subscription: Subscription, *, author: User | None, now: dt.datetime) -> None:
    """Let a subscription tell from now on: it counts as told of the present versions. The lock is the caller's."""
    subscription.status = SubscriptionStatus.CONFIRMED
    subscription.confirmed_at = now
    subscription.ended_at, subscription.reason, subscription.refused_at = None, "", None
    subscription.save(update_fields=["status", "confirmed_at", "ended_at", "reason", "refused_at"])
    start_watermarks(subscriptions=[subscription.pk], now=now)
    address = journal.address_hash(subscription.person.email)
    journal.note(REFUSED, now=now, subscription=subscription.pk, address=address, undone=True)
    if author == subscription.person and subscription.how == How.SELF:  # a yes to a partner is no more than that
        take_refusal_back(subscription.person, now=now)
    note(subscription, EventKind.CONFIRMED, author=author, now=now)


@transaction.atomic
def refuse_questions(*, person: User, now: dt.datetime) -> None:
    """The person wants no letter because somebody typed their address; what they follow goes on."""
    Preference.objects.filter(person=person).update(refused_at=now)
    journal.note(REFUSED_ALL, now=now, person=person.pk, address=journal.address_hash(person.email))
    record(actor_id=person.pk, kind=EventKind.QUESTIONS_REFUSED, target_kind="person", target_id=person.pk, now=now)


@transaction.atomic
def allow_questions(*, person: User, now: dt.datetime) -> None:
    """The person, who had stopped everything or refused questions, may be asked again when their address is typed."""
    take_refusal_back(person, now=now)
    record(actor_id=person.pk, kind=EventKind.QUESTIONS_ALLOWED, target_kind="person", target_id=person.pk, now=now)


def take_refusal_back(person: User, *, now: dt.datetime) -> None:
    """The person asks for something themselves: they no longer refuse questions, nor does their address."""
    forget_refusal(person.email)
    if Preference.objects.filter(person=person, refused_at__isnull=False).update(refused_at=None):
        address = journal.address_hash(person.email)
        journal.note(REFUSED_ALL, now=now, person=person.pk, address=address, undone=True)
