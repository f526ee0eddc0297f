"""Asking people by email whether they want digests."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import REFUSAL_HOLDS, Delivery, DeliveryKind, Subscription, SubscriptionStatus
from partnerships.digests.queries.naming import askable_again, may_still_be_asked, open_to_askers
from partnerships.digests.rights import rights_over
from partnerships.digests.services.answering import withdraw_refusal
from partnerships.digests.services.emails import MAX_LINKS_A_DAY, may_be_emailed, record_digest_email
from partnerships.digests.services.recording import UnableToChangeSubscription, lock_subscription, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User

#: Emails to stakeholders that one organisation may cause in a day, against flooding.
MAX_ASKED_A_DAY = 200
#: How often one organisation may ask one person in a day, about anything.
MAX_ASKED_A_PERSON = 5
#: How often somebody may be asked about one thing within the time that a refusal holds.
MAX_TIMES_ASKED = 3


class UnableToSubscribe(Exception):
    """The address is unusable, they refused, or a limit was reached.

    Also if the organisation that asks may not read the thing itself.
    """


@transaction.atomic
def ask_again(*, subscription: Subscription, author: User, now: dt.datetime) -> None:
    """Send the confirmation email again, at the earliest a day after the last. Raises `UnableToSubscribe`."""
    locked = lock_subscription(subscription)
    require(rights_over(locked, author, now).asks_for_organisation)
    if not locked.is_waiting:
        raise UnableToSubscribe("They have already answered.")
    emails = Delivery.objects.filter(subscription=locked, kind=DeliveryKind.CONFIRMATION)
    if emails.filter(created_at__gt=now - dt.timedelta(days=1)).exists():
        raise UnableToSubscribe("They were asked within the last day. Try again tomorrow.")
    check_asker(locked, now=now)
    check_limits(locked, now=now)
    send_question(locked, now=now)
    record_event(locked, EventKind.ASKED_AGAIN, author=author, now=now)


@transaction.atomic
def remind(*, subscription: Subscription, now: dt.datetime, limit: int = 1) -> None:
    """Send the confirmation email again because the person wants it.

    At most `limit` a day, and not if it was answered in the meantime or the address is suppressed.
    """
    locked = lock_subscription(subscription)
    emails = Delivery.objects.filter(subscription=locked, kind=DeliveryKind.CONFIRMATION)
    if locked.is_waiting and may_be_emailed(locked.person, emails, limit=limit, now=now):
        send_question(locked, now=now)
        record_event(locked, EventKind.QUESTION_SENT_AGAIN, author=None, now=now)


@transaction.atomic
def ask_again_for_person(*, subscription: Subscription, now: dt.datetime) -> None:
    """Send the confirmation email again, at the person's own wish.

    It may be about something they refused. The email goes to their own address, and only their answer to it changes
    anything. Raises `UnableToChangeSubscription` if the organisation that asked may no longer read it, if there is
    nothing to ask, or if the refusal is so old that a partner may ask again.
    """
    locked = lock_subscription(subscription)
    if not (locked.is_waiting or askable_again([locked], now)) or not may_still_be_asked(locked, now):
        raise UnableToChangeSubscription("There is nothing left for you to confirm here.")
    if locked.is_refused:
        locked.status, locked.asked_at, locked.confirmed_at = SubscriptionStatus.ASKED, now, None
        locked.ended_at, locked.reason, locked.refused_at = None, "", None
        locked.save(update_fields=["status", "asked_at", "confirmed_at", "ended_at", "reason", "refused_at"])
        withdraw_refusal(locked.person, now=now)
        record_event(locked, EventKind.QUESTION_WANTED_AGAIN, author=locked.person, now=now)
    remind(subscription=locked, now=now, limit=MAX_LINKS_A_DAY)


@transaction.atomic
def give_up_asking(*, subscription: Subscription, now: dt.datetime) -> None:
    """End a question to somebody with an account whose email may not be sent.

    It does not count as a refusal. If the row is locked by another change, that change wins. The organisation that
    asked sees only that no email could be sent, not that the person may not read the thing.
    """
    waiting = Subscription.objects.select_for_update(of=("self",), skip_locked=True).for_listing()
    locked = waiting.filter(pk=subscription.pk, status=SubscriptionStatus.ASKED).first()
    if locked is not None:
        locked.status, locked.ended_at, locked.reason = (
            SubscriptionStatus.ENDED,
            now,
            "The email that asks them could not be sent.",
        )
        locked.save(update_fields=["status", "ended_at", "reason"])
        record_event(locked, EventKind.NOT_ASKED, author=None, now=now)


def check_asker(subscription: Subscription, *, now: dt.datetime) -> None:
    """Raise `UnableToSubscribe` if the asking organisation has no access.

    The rights of the person asked are not checked here, because the answer would show which addresses have an account.
    If they may not read it, no email is sent and the question ends (`give_up_asking`).
    """
    if subscription.added_for is not None and not open_to_askers([subscription], now):
        raise UnableToSubscribe(
            f"{subscription.added_for.display_name} cannot read this itself, so it cannot ask others about it."
        )


def check_limits(subscription: Subscription, *, now: dt.datetime) -> None:
    """Raise `UnableToSubscribe` if the person was asked too often.

    It counts emails, so ending and adding again does not help.
    """
    asking = Delivery.objects.filter(kind=DeliveryKind.CONFIRMATION)
    if asking.filter(subscription=subscription, created_at__gt=now - REFUSAL_HOLDS).count() >= MAX_TIMES_ASKED:
        raise UnableToSubscribe(f"They were asked {MAX_TIMES_ASKED} times. Please contact them directly.")
    organisation = subscription.added_for
    today = asking.filter(subscription__added_for=organisation, created_at__gt=now - dt.timedelta(days=1))
    if organisation is None:
        if today.filter(recipient=subscription.person).count() >= MAX_ASKED_A_PERSON:
            raise UnableToSubscribe(
                f"We have sent this address {MAX_ASKED_A_PERSON} of these emails today. Answer one of them, or try "
                f"again tomorrow."
            )
        return
    if today.count() >= MAX_ASKED_A_DAY:
        raise UnableToSubscribe(
            f"{organisation.display_name} has sent {MAX_ASKED_A_DAY} of these emails today. Try again tomorrow."
        )
    if today.filter(recipient=subscription.person).count() >= MAX_ASKED_A_PERSON:
        raise UnableToSubscribe(
            f"{organisation.display_name} has asked this person {MAX_ASKED_A_PERSON} times today. Try again tomorrow."
        )


def send_question(subscription: Subscription, *, now: dt.datetime) -> None:
    """Queue the email that asks whether the person wants this."""
    record_digest_email(
        DeliveryKind.CONFIRMATION, recipient_id=subscription.person_id, subscription=subscription, now=now
    )
