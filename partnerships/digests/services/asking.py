"""The letter that asks somebody whether they want digests about something: who may have it sent, how often it goes, and
what becomes of a question that cannot."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import REFUSAL_HOLDS, Delivery, DeliveryKind, Subscription, SubscriptionStatus
from partnerships.digests.queries.naming import askable_again, may_still_be_asked, open_to_askers
from partnerships.digests.services.answering import take_refusal_back
from partnerships.digests.services.emails import MAX_LINKS_A_DAY, may_be_written_to, record_digest_email
from partnerships.digests.services.recording import UnableToChangeSubscription, note
from partnerships.people.models import User

#: Invitations to stakeholders a day and organisation, so that nobody's address is used to flood others.
MAX_ASKED_A_DAY = 200
#: Letters a day by which one organisation may ask one person, about whatever.
MAX_ASKED_A_PERSON = 5
#: How often somebody may be asked to confirm one thing, as long as a refusal would hold.
MAX_TIMES_ASKED = 3


class UnableToSubscribe(Exception):
    """The address is none, or mail to it comes back; they said no, or were asked enough; who asks may not read it."""


@transaction.atomic
def ask_again(*, subscription: Subscription, author: User, now: dt.datetime) -> None:
    """Send the letter that asks to confirm once more, a day after the last at the earliest.

    Raises `UnableToSubscribe`.
    """
    locked = Subscription.objects.select_for_update(of=("self",)).get(pk=subscription.pk)
    if not locked.is_waiting:
        raise UnableToSubscribe("They have answered already.")
    letters = Delivery.objects.filter(subscription=locked, kind=DeliveryKind.CONFIRMATION)
    if letters.filter(created_at__gt=now - dt.timedelta(days=1)).exists():
        raise UnableToSubscribe("They were asked within the last day: give them time.")
    check_asker(locked, now=now)
    check_letters(locked, now=now)
    send_question(locked, now=now)
    note(locked, EventKind.ASKED_AGAIN, author=author, now=now)


@transaction.atomic
def remind(*, subscription: Subscription, now: dt.datetime, limit: int = 1) -> None:
    """Send the letter that asks to confirm once more because the person wants it: so many a day at most.

    Nothing goes where it was answered meanwhile or mail comes back.
    """
    locked = Subscription.objects.select_for_update(of=("self",)).select_related("person").get(pk=subscription.pk)
    letters = Delivery.objects.filter(subscription=locked, kind=DeliveryKind.CONFIRMATION)
    if locked.is_waiting and may_be_written_to(locked.person, letters, limit=limit, now=now):
        send_question(locked, now=now)
        note(locked, EventKind.QUESTION_SENT_AGAIN, author=None, now=now)


@transaction.atomic
def ask_anew(*, subscription: Subscription, now: dt.datetime) -> None:
    """The person, by a link of theirs, wants to be asked once more about what waits or what they said no to: the letter
    goes to their own address, a few a day at most, and only their answer to it changes what they are told.

    Raises `UnableToChangeSubscription` where whoever asked them may no longer read it, nothing is to be asked, or the
    no is so old that a partner may ask again.
    """
    locked = Subscription.objects.select_for_update(of=("self",)).for_listing().get(pk=subscription.pk)
    if not (locked.is_waiting or askable_again([locked], now)) or not may_still_be_asked(locked, now):
        raise UnableToChangeSubscription("There is nothing to ask you about this any more.")
    if locked.is_refused:
        locked.status, locked.asked_at, locked.confirmed_at = SubscriptionStatus.ASKED, now, None
        locked.ended_at, locked.reason, locked.refused_at = None, "", None
        locked.save(update_fields=["status", "asked_at", "confirmed_at", "ended_at", "reason", "refused_at"])
        take_refusal_back(locked.person, now=now)
        note(locked, EventKind.QUESTION_WANTED_AGAIN, author=locked.person, now=now)
    remind(subscription=locked, now=now, limit=MAX_LINKS_A_DAY)


@transaction.atomic
def give_up_asking(*, subscription: Subscription, now: dt.datetime) -> None:
    """The letter that asks somebody with an account may not leave, so nothing waits for an answer; no refusal is made
    of it. Where the row is being changed by somebody else, that stands.

    Whoever asked reads that no letter went, and not that it is the person who may not read it.
    """
    waiting = Subscription.objects.select_for_update(of=("self",), skip_locked=True).for_listing()
    locked = waiting.filter(pk=subscription.pk, status=SubscriptionStatus.ASKED).first()
    if locked is not None:
        locked.status, locked.ended_at, locked.reason = SubscriptionStatus.ENDED, now, "No letter that asks may go."
        locked.save(update_fields=["status", "ended_at", "reason"])
        note(locked, EventKind.NOT_ASKED, author=None, now=now)


def check_asker(subscription: Subscription, *, now: dt.datetime) -> None:
    """Whether the organisation that asks may itself read what it asks about; raises `UnableToSubscribe`.

    Whether the person asked may read it is not looked at: of an address without an account that is always so, and any
    other answer would say at once of each address typed that it has one. Where they may not, no letter leaves, and the
    question ends (`give_up_asking`).
    """
    if subscription.added_for is not None and not open_to_askers([subscription], now):
        raise UnableToSubscribe(
            f"{subscription.added_for.display_name} may not read this itself, so it can ask nobody about it."
        )


def check_letters(subscription: Subscription, *, now: dt.datetime) -> None:
    """Whether one more letter may ask the person; letters are counted, so that ending and adding again wins nothing.

    Raises `UnableToSubscribe`.
    """
    asking = Delivery.objects.filter(kind=DeliveryKind.CONFIRMATION)
    if asking.filter(subscription=subscription, created_at__gt=now - REFUSAL_HOLDS).count() >= MAX_TIMES_ASKED:
        raise UnableToSubscribe(f"They were asked {MAX_TIMES_ASKED} times: speak to them instead.")
    organisation = subscription.added_for
    today = asking.filter(subscription__added_for=organisation, created_at__gt=now - dt.timedelta(days=1))
    if organisation is None:
        if today.filter(recipient=subscription.person).count() >= MAX_ASKED_A_PERSON:
            raise UnableToSubscribe(
                f"This address was asked {MAX_ASKED_A_PERSON} times today: answer there, or try again tomorrow."
            )
        return
    if today.count() >= MAX_ASKED_A_DAY:
        raise UnableToSubscribe(
            f"{organisation.display_name} has sent {MAX_ASKED_A_DAY} such letters today: try again tomorrow."
        )
    if today.filter(recipient=subscription.person).count() >= MAX_ASKED_A_PERSON:
        raise UnableToSubscribe(
            f"{organisation.display_name} has asked this person {MAX_ASKED_A_PERSON} times today: try again tomorrow."
        )


def send_question(subscription: Subscription, *, now: dt.datetime) -> None:
    """Queue the letter that asks whether the person wants this."""
    record_digest_email(
        DeliveryKind.CONFIRMATION, recipient_id=subscription.person_id, subscription=subscription, now=now
    )
