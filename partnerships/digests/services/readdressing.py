"""Services that move a stakeholder's digests to a new address, given by an organisation or the stakeholder.

The owner of the new address must confirm. Until then, subscriptions that the old address confirmed continue there.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Preference, SubjectWatermark, Subscription, SubscriptionStatus, Watermark
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up
from partnerships.digests.queries.subscriptions import moving_with
from partnerships.digests.rights import rights_over
from partnerships.digests.services.answering import confirm
from partnerships.digests.services.asking import UnableToSubscribe, remind, send_question
from partnerships.digests.services.emails import MAX_LINKS_A_DAY
from partnerships.digests.services.following import add_stakeholder
from partnerships.digests.services.recording import lock_subscription, record_event
from partnerships.digests.services.stopping import pause, stop
from partnerships.kit.rights import require
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.people.models import User
from partnerships.people.refusals import has_refused
from partnerships.people.services import UnableToAddPerson, find_person, person_for_address

#: The preferences that are copied to the new address.
_PREFERENCES = ("frequency", "hour", "weekday", "working_days_of", "days", "paused_from", "paused_until")


@transaction.atomic
def correct_address(*, subscription: Subscription, email: str, author: User, now: dt.datetime) -> Subscription:
    """Ask at the corrected address, on behalf of the same organisation. Raises `UnableToSubscribe`.

    If the old address has not confirmed its subscription, that ends.
    """
    lock_planning()
    old_subscription = lock_subscription(subscription)
    require(rights_over(old_subscription, author, now).asks_for_organisation)
    if old_subscription.is_ended or old_subscription.added_for is None:
        raise UnableToSubscribe("This subscription has ended. Add the person again with the right address.")
    if old_subscription.person.email.casefold() == email.strip().casefold() and not old_subscription.has_own_address:
        raise UnableToSubscribe("We already have this address. Enter the new address.")

    new_subscription = add_stakeholder(
        email=email,
        name=old_subscription.person.name if old_subscription.confirmed_at else "",
        target=old_subscription.followed_item,
        author=author,
        organisation=old_subscription.added_for,
        why=old_subscription.why,
        frequency=old_subscription.frequency,
        now=now,
    )
    is_new_question = new_subscription.pk != old_subscription.pk and new_subscription.is_waiting
    if not is_new_question or new_subscription.added_for_id != old_subscription.added_for_id:
        raise UnableToSubscribe(
            "A person with this address already gets these digests, or we have asked them. Enter another address."
        )

    if old_subscription.confirmed_at:
        Subscription.objects.filter(pk=new_subscription.pk).update(replaces=old_subscription)
    else:
        stop(
            subscriptions=[old_subscription],
            author=author,
            reason="The address was corrected.",
            now=now,
            is_refusal=False,
        )
    record_event(new_subscription, EventKind.ADDRESS_CORRECTED, author=author, now=now, replaces=old_subscription.pk)
    return new_subscription


@transaction.atomic
def ask_to_move(*, person: User, email: str, now: dt.datetime) -> None:
    """Ask at a new address whether to move a stakeholder's digests there.

    Does nothing, without an error, if a person with the address exists already, if the address is suppressed or
    refused, or if the stakeholder has tried several addresses today. If the stakeholder has asked for the same address
    before, the question is sent there again.
    """
    lock_planning()
    owner_of_address = find_person(email)
    waiting_subscriptions = Subscription.objects.filter(status=SubscriptionStatus.ASKED, replaces__person=person)
    if owner_of_address is not None:
        earlier_question = waiting_subscriptions.filter(person=owner_of_address).order_by("pk").first()
        if earlier_question is not None:
            remind(subscription=earlier_question, now=now)
        return

    questions_today = waiting_subscriptions.filter(asked_at__gt=now - dt.timedelta(days=1))
    address_count = questions_today.values("person").distinct().count()
    if address_count >= MAX_LINKS_A_DAY or is_suppressed(email) or has_refused(email):
        return
    subscriptions = Subscription.objects.live().filter(person=person, confirmed_at__isnull=False).order_by("pk")
    if not subscriptions:
        return

    try:
        person_at_new_address = person_for_address(email=email, name=person.name)
    except UnableToAddPerson:
        return
    _copy_preferences(person, person_at_new_address)
    copies = [_copy_to(person_at_new_address, subscription, now=now) for subscription in subscriptions]
    send_question(copies[0], now=now)  # a single email; confirming it moves all subscriptions


def _copy_preferences(person: User, person_at_new_address: User) -> None:
    """Give the person with the new address the same time zone and preferences."""
    person_at_new_address.time_zone = person.time_zone
    person_at_new_address.save(update_fields=["time_zone"])
    preference = Preference.objects.get(person=person)
    copied_values = {name: getattr(preference, name) for name in _PREFERENCES}
    Preference.objects.create(person=person_at_new_address, **copied_values)


def _copy_to(person: User, old_subscription: Subscription, *, now: dt.datetime) -> Subscription:
    """Create the same subscription for the person with the new address, waiting for confirmation."""
    copy = Subscription.objects.create(
        person=person,
        **{f"{old_subscription.target_kind}_id": old_subscription.target_id},
        key=old_subscription.key,
        hears=old_subscription.hears,
        how=old_subscription.how,
        added_by_id=old_subscription.added_by_id,
        added_for_id=old_subscription.added_for_id,
        why=old_subscription.why,
        frequency=old_subscription.frequency,
        asked_at=now,
        replaces=old_subscription,
        has_own_address=old_subscription.added_for_id is not None,
    )
    record_event(
        copy, EventKind.ASKED_AT_NEW_ADDRESS, author=old_subscription.person, now=now, replaces=old_subscription.pk
    )
    return copy


@transaction.atomic
def confirm_with_others(*, subscription: Subscription, now: dt.datetime) -> Subscription:
    """Confirm a subscription and all others that move with it. Raises `UnableToChangeSubscription`."""
    lock_planning()
    other_subscriptions = moving_with(subscription)
    confirmed_subscription = confirm(subscription=subscription, now=now)
    _replace_old(subscription, now=now)
    for other in other_subscriptions:
        _replace_old(confirm(subscription=other, now=now), now=now)
    return confirmed_subscription


def _replace_old(new_subscription: Subscription, *, now: dt.datetime) -> None:
    """End the subscription of the old address, and set watermarks of the new one to what the old one received."""
    new_subscription = Subscription.objects.select_related("replaces", "person").get(pk=new_subscription.pk)
    old_subscription = new_subscription.replaces
    if old_subscription is None or old_subscription.is_ended:
        return

    _move_watermarks_back(new_subscription.person_id, old_subscription.person_id)
    was_paused = old_subscription.is_paused
    stop(
        subscriptions=[old_subscription], author=None, reason="Replaced by another address.", now=now, is_refusal=False
    )
    if was_paused:
        pause(subscription=new_subscription, author=new_subscription.person, now=now)
    else:
        catch_up(people=[new_subscription.person_id], now=now)


def _move_watermarks_back(new_person_id: int, old_person_id: int) -> None:
    """Move the watermarks of the new address back to what the old address received."""
    old_watermarks = Watermark.objects.filter(recipient=old_person_id).exclude(reading_class=Watermark.Reading.NONE)
    for plan_id, number in old_watermarks.values_list("plan", "number"):
        new_watermarks = Watermark.objects.filter(recipient=new_person_id, plan=plan_id)
        new_watermarks.filter(number__gt=number).update(number=number)

    old_subject_watermarks = SubjectWatermark.objects.filter(recipient=old_person_id)
    for subject_id, number in old_subject_watermarks.values_list("subject", "number"):
        new_subject_watermarks = SubjectWatermark.objects.filter(recipient=new_person_id, subject=subject_id)
        new_subject_watermarks.filter(number__gt=number).update(number=number)


def hide_new_address(*, person: User) -> int:
    """Hide the new address of a person's account from organisations that asked them.

    Returns how many subscriptions were hidden.
    """
    asked_by_organisation = Subscription.objects.filter(person=person, added_for__isnull=False, has_own_address=False)
    return asked_by_organisation.update(has_own_address=True)
