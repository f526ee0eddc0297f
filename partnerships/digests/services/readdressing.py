"""Services that move a stakeholder's digests to a new address, given by an organisation or by themselves.

The owner of the new address must confirm. Until then, the old address keeps its confirmed subscriptions.
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

    If the old address has not confirmed, its subscription ends.
    """
    lock_planning()
    old = lock_subscription(subscription)
    require(rights_over(old, author, now).asks_for_organisation)
    if old.is_ended or old.added_for is None:
        raise UnableToSubscribe("This subscription has ended. Add the person again with the right address.")
    if old.person.email.casefold() == email.strip().casefold() and not old.has_own_address:
        raise UnableToSubscribe("We already have this address. Enter the new address.")
    corrected = add_stakeholder(
        email=email,
        name=old.person.name if old.confirmed_at else "",
        target=old.followed,
        author=author,
        organisation=old.added_for,
        why=old.why,
        frequency=old.frequency,
        now=now,
    )
    if corrected.pk == old.pk or not corrected.is_waiting or corrected.added_for_id != old.added_for_id:
        raise UnableToSubscribe(
            "A person with this address already gets these digests, or we have asked them. Enter another address."
        )
    if old.confirmed_at:
        Subscription.objects.filter(pk=corrected.pk).update(replaces=old)
    else:
        stop(subscriptions=[old], author=author, reason="The address was corrected.", now=now, is_refusal=False)
    record_event(corrected, EventKind.ADDRESS_CORRECTED, author=author, now=now, replaces=old.pk)
    return corrected


@transaction.atomic
def ask_to_move(*, person: User, email: str, now: dt.datetime) -> None:
    """Ask at a new address whether to move a stakeholder's digests there.

    Silently does nothing if a person with the address exists already, if it is suppressed or refused, or if the
    stakeholder has tried several addresses today. If they asked at the same address before, it is asked again.
    """
    lock_planning()
    owner_of_address = find_person(email)
    waiting = Subscription.objects.filter(status=SubscriptionStatus.ASKED, replaces__person=person)
    if owner_of_address is not None:
        asked_before = waiting.filter(person=owner_of_address).order_by("pk").first()
        if asked_before is not None:
            remind(subscription=asked_before, now=now)
        return
    asked_today = waiting.filter(asked_at__gt=now - dt.timedelta(days=1))
    address_count = asked_today.values("person").distinct().count()
    if address_count >= MAX_LINKS_A_DAY or is_suppressed(email) or has_refused(email):
        return
    following = Subscription.objects.live().filter(person=person, confirmed_at__isnull=False).order_by("pk")
    if not following:
        return
    try:
        person_at_new_address = person_for_address(email=email, name=person.name)
    except UnableToAddPerson:
        return
    person_at_new_address.time_zone = person.time_zone
    person_at_new_address.save(update_fields=["time_zone"])
    preference = Preference.objects.get(person=person)
    copied_values = {name: getattr(preference, name) for name in _PREFERENCES}
    Preference.objects.create(person=person_at_new_address, **copied_values)
    copies = [_copy_to(person_at_new_address, subscription, now=now) for subscription in following]
    send_question(copies[0], now=now)  # one email; confirming it moves all of them


def _copy_to(person: User, old: Subscription, *, now: dt.datetime) -> Subscription:
    """Create the same subscription for the person with the new address, waiting for confirmation."""
    copy = Subscription.objects.create(
        person=person,
        **{f"{old.target_kind}_id": old.target_id},
        key=old.key,
        hears=old.hears,
        how=old.how,
        added_by_id=old.added_by_id,
        added_for_id=old.added_for_id,
        why=old.why,
        frequency=old.frequency,
        asked_at=now,
        replaces=old,
        has_own_address=old.added_for_id is not None,
    )
    record_event(copy, EventKind.ASKED_AT_NEW_ADDRESS, author=old.person, now=now, replaces=old.pk)
    return copy


@transaction.atomic
def confirm_with_others(*, subscription: Subscription, now: dt.datetime) -> Subscription:
    """Confirm a subscription and all others that move with it. Raises `UnableToChangeSubscription`."""
    lock_planning()
    others = moving_with(subscription)
    confirmed = confirm(subscription=subscription, now=now)
    _replace_old(subscription, now=now)
    for other in others:
        _replace_old(confirm(subscription=other, now=now), now=now)
    return confirmed


def _replace_old(new: Subscription, *, now: dt.datetime) -> None:
    """End the subscription of the old address, and continue from what its owner was told."""
    new = Subscription.objects.select_related("replaces", "person").get(pk=new.pk)
    old = new.replaces
    if old is None or old.is_ended:
        return
    old_watermarks = Watermark.objects.filter(recipient=old.person_id).exclude(reading_class=Watermark.Reading.NONE)
    for plan_id, number in old_watermarks.values_list("plan", "number"):
        new_watermarks = Watermark.objects.filter(recipient=new.person_id, plan=plan_id)
        new_watermarks.filter(number__gt=number).update(number=number)
    old_subject_watermarks = SubjectWatermark.objects.filter(recipient=old.person_id)
    for subject_id, number in old_subject_watermarks.values_list("subject", "number"):
        new_subject_watermarks = SubjectWatermark.objects.filter(recipient=new.person_id, subject=subject_id)
        new_subject_watermarks.filter(number__gt=number).update(number=number)
    was_paused = old.is_paused
    stop(subscriptions=[old], author=None, reason="Replaced by another address.", now=now, is_refusal=False)
    if was_paused:
        pause(subscription=new, author=new.person, now=now)
    else:
        catch_up(people=[new.person_id], now=now)


def hide_new_address(*, person: User) -> int:
    """Hide the new address of a person's account from organisations that asked them; returns how many subscriptions."""
    asked_by_organisation = Subscription.objects.filter(person=person, added_for__isnull=False, has_own_address=False)
    return asked_by_organisation.update(has_own_address=True)
