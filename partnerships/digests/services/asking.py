"""Services that ask people by email whether they want digests."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import REFUSAL_PERIOD, Delivery, DeliveryKind, Subscription, SubscriptionStatus
from partnerships.digests.queries.naming import askable_again, may_still_be_asked, open_to_askers
from partnerships.digests.rights import rights_over
from partnerships.digests.services.answering import withdraw_refusal
from partnerships.digests.services.emails import MAX_LINKS_A_DAY, may_be_emailed, record_digest_email
from partnerships.digests.services.recording import UnableToChangeSubscription, lock_subscription, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User

#: The most confirmation emails that one organisation may cause in a day.
MAX_ASKED_A_DAY = 200
#: The most times that one organisation may ask one person in a day, about all records together.
MAX_ASKED_A_PERSON = 5
#: The most times that a person may be asked about one target within REFUSAL_PERIOD.
MAX_TIMES_ASKED = 3


class UnableToSubscribe(Exception):
    """The person cannot be subscribed or asked. The message gives the reason.

    For example, emails to the address bounce, the person refused or has already answered, a limit is reached, or the
    asking organisation may not read the target.
    """


@transaction.atomic
def ask_again(*, subscription: Subscription, author: User, now: dt.datetime) -> None:
    """Send the confirmation email again, at least a day after the last one. Raises `UnableToSubscribe`."""
    subscription = lock_subscription(subscription)
    require(rights_over(subscription, author, now).asks_for_organisation)
    if not subscription.is_waiting:
        raise UnableToSubscribe("This person has already answered, so you cannot ask them again.")
    emails = Delivery.objects.filter(subscription=subscription, kind=DeliveryKind.CONFIRMATION)
    if emails.filter(created_at__gt=now - dt.timedelta(days=1)).exists():
        raise UnableToSubscribe("We asked this person within the last day. Try again tomorrow.")
    check_asker(subscription, now=now)
    check_limits(subscription, now=now)
    send_question(subscription, now=now)
    record_event(subscription, EventKind.ASKED_AGAIN, author=author, now=now)


@transaction.atomic
def remind(*, subscription: Subscription, now: dt.datetime, limit: int = 1) -> None:
    """Send the confirmation email again, because the person asks for it.

    Nothing is sent if `limit` emails were sent within a day, if the question was answered, or if the address is
    suppressed.
    """
    subscription = lock_subscription(subscription)
    emails = Delivery.objects.filter(subscription=subscription, kind=DeliveryKind.CONFIRMATION)
    if subscription.is_waiting and may_be_emailed(subscription.person, emails, limit=limit, now=now):
        send_question(subscription, now=now)
        record_event(subscription, EventKind.QUESTION_SENT_AGAIN, author=None, now=now)


@transaction.atomic
def ask_again_for_person(*, subscription: Subscription, now: dt.datetime) -> None:
    """Send the confirmation email again, because the person asks for it on a page.

    A subscription that the person had refused waits for their confirmation again, and their refusal of all
    confirmation emails, if any, is withdrawn. Digests start only when the person confirms. No email is sent if
    `MAX_LINKS_A_DAY` were sent within a day, or if the address is suppressed.

    Raises `UnableToChangeSubscription` if there is nothing to confirm, if the person may no longer know the target's
    name (`may_still_be_asked`), or if the refusal is so old that the partner must ask again (`askable_again`).
    """
    subscription = lock_subscription(subscription)
    if not (subscription.is_waiting or askable_again([subscription], now)) or not may_still_be_asked(subscription, now):
        raise UnableToChangeSubscription(
            "There is nothing left for you to confirm. The list shows what you follow now."
        )
    if subscription.is_refused:
        subscription.status = SubscriptionStatus.ASKED
        subscription.asked_at = now
        subscription.confirmed_at = None
        subscription.ended_at = None
        subscription.reason = ""
        subscription.refused_at = None
        subscription.save(update_fields=["status", "asked_at", "confirmed_at", "ended_at", "reason", "refused_at"])
        withdraw_refusal(subscription.person, now=now)
        record_event(subscription, EventKind.QUESTION_WANTED_AGAIN, author=subscription.person, now=now)
    remind(subscription=subscription, now=now, limit=MAX_LINKS_A_DAY)


@transaction.atomic
def give_up_asking(*, subscription: Subscription, now: dt.datetime) -> None:
    """End a subscription that waits for a confirmation, because the email that asks for it may not be sent.

    This does not count as a refusal. The organisation that asked sees only that no email could be sent, not that the
    person may not read the target. Nothing is done if another transaction has locked the row.
    """
    unlocked = Subscription.objects.select_for_update(of=("self",), skip_locked=True).for_listing()
    waiting_subscription = unlocked.filter(pk=subscription.pk, status=SubscriptionStatus.ASKED).first()
    if waiting_subscription is None:
        return
    waiting_subscription.status = SubscriptionStatus.ENDED
    waiting_subscription.ended_at = now
    waiting_subscription.reason = "We could not send the email that asks them to confirm."
    waiting_subscription.save(update_fields=["status", "ended_at", "reason"])
    record_event(waiting_subscription, EventKind.NOT_ASKED, author=None, now=now)


def check_asker(subscription: Subscription, *, now: dt.datetime) -> None:
    """Raise `UnableToSubscribe` if the asking organisation may not read the target.

    The person's own right to read the target is not checked here, because the answer would show which addresses have an
    account. If the person may not read it, no email is sent and the subscription ends (`give_up_asking`).
    """
    if subscription.added_for is not None and not open_to_askers([subscription], now):
        raise UnableToSubscribe(
            f"{subscription.added_for.display_name} cannot read this itself, so it cannot ask other people to follow "
            "it. Ask for access first."
        )


def check_limits(subscription: Subscription, *, now: dt.datetime) -> None:
    """Raise `UnableToSubscribe` if the person was asked, or the organisation has asked, too often.

    Emails are counted and not subscriptions, so ending a subscription and adding it again does not avoid the limit.
    """
    questions = Delivery.objects.filter(kind=DeliveryKind.CONFIRMATION)
    recent_questions = questions.filter(subscription=subscription, created_at__gt=now - REFUSAL_PERIOD)
    if recent_questions.count() >= MAX_TIMES_ASKED:
        raise UnableToSubscribe(f"We have asked this person {MAX_TIMES_ASKED} times. Contact them directly.")

    organisation = subscription.added_for
    questions_today = questions.filter(subscription__added_for=organisation, created_at__gt=now - dt.timedelta(days=1))
    if organisation is not None and questions_today.count() >= MAX_ASKED_A_DAY:
        raise UnableToSubscribe(
            f"{organisation.display_name} has sent {MAX_ASKED_A_DAY} of these emails today. Try again tomorrow."
        )
    if questions_today.filter(recipient=subscription.person).count() < MAX_ASKED_A_PERSON:
        return
    if organisation is not None:
        raise UnableToSubscribe(
            f"{organisation.display_name} has asked this person {MAX_ASKED_A_PERSON} times today. Try again tomorrow."
        )
    raise UnableToSubscribe(
        f"We have sent this address {MAX_ASKED_A_PERSON} of these emails today. Confirm one of them, or try "
        "again tomorrow."
    )


def send_question(subscription: Subscription, *, now: dt.datetime) -> None:
    """Record the email that asks whether the person wants this subscription."""
    record_digest_email(
        DeliveryKind.CONFIRMATION, recipient_id=subscription.person_id, subscription=subscription, now=now
    )
