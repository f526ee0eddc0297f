"""A new address for a stakeholder, from an organisation or themselves.

The new address must confirm; until then the old one keeps its confirmed subscriptions.
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

#: Preferences copied to the new address.
_PREFERENCES = ("frequency", "hour", "weekday", "working_days_of", "days", "paused_from", "paused_until")


@transaction.atomic
def correct_address(*, subscription: Subscription, email: str, author: User, now: dt.datetime) -> Subscription:
    """Ask at the corrected address, for the same organisation.

    An unanswered question to the old address is withdrawn. Raises `UnableToSubscribe`.
    """
    lock_planning()
    old = lock_subscription(subscription)
    require(rights_over(old, author, now).asks_for_organisation)
    if old.is_ended or old.added_for is None:
        raise UnableToSubscribe("This has ended. Add them again with the right address.")
    if old.person.email.casefold() == email.strip().casefold() and not old.has_own_address:
        raise UnableToSubscribe("That is the address we already have.")
    made = add_stakeholder(
        email=email,
        name=old.person.name if old.confirmed_at else "",
        target=old.followed,
        author=author,
        organisation=old.added_for,
        why=old.why,
        frequency=old.frequency,
        now=now,
    )
    if made.pk == old.pk or not made.is_waiting or made.added_for_id != old.added_for_id:
        raise UnableToSubscribe("Somebody at that address already follows this, or was asked about it.")
    if old.confirmed_at:
        Subscription.objects.filter(pk=made.pk).update(replaces=old)
    else:
        stop(subscriptions=[old], author=author, reason="The address was corrected.", now=now, is_refusal=False)
    record_event(made, EventKind.ADDRESS_CORRECTED, author=author, now=now, replaces=old.pk)
    return made


@transaction.atomic
def ask_to_move(*, person: User, email: str, now: dt.datetime) -> None:
    """Ask at a new address whether to move a stakeholder's digests there.

    Silently does nothing if the address is already known here or suppressed, or the person tried several today.
    """
    lock_planning()
    known_person = find_person(email)
    waiting = Subscription.objects.filter(status=SubscriptionStatus.ASKED, replaces__person=person)
    if known_person is not None:
        again = waiting.filter(person=known_person).order_by("pk").first()
        if again is not None:
            remind(subscription=again, now=now)
        return
    today = waiting.filter(asked_at__gt=now - dt.timedelta(days=1)).values("person").distinct().count()
    if today >= MAX_LINKS_A_DAY or is_suppressed(email) or has_refused(email):
        return
    following = Subscription.objects.live().filter(person=person, confirmed_at__isnull=False).order_by("pk")
    if not following:
        return
    try:
        moved = person_for_address(email=email, name=person.name)
    except UnableToAddPerson:
        return
    moved.time_zone = person.time_zone
    moved.save(update_fields=["time_zone"])
    preference = Preference.objects.get(person=person)
    Preference.objects.create(person=moved, **{name: getattr(preference, name) for name in _PREFERENCES})
    moved_subscriptions = [_ask_at(subscription, moved, now=now) for subscription in following]
    send_question(moved_subscriptions[0], now=now)


def _ask_at(old: Subscription, person: User, *, now: dt.datetime) -> Subscription:
    """The same subscription at another address, not confirmed yet."""
    subscription_made = Subscription.objects.create(
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
    record_event(subscription_made, EventKind.ASKED_AT_NEW_ADDRESS, author=old.person, now=now, replaces=old.pk)
    return subscription_made


@transaction.atomic
def confirm_with_others(*, subscription: Subscription, now: dt.datetime) -> Subscription:
    """Confirm a subscription, and all that move from the same address. Raises `UnableToChangeSubscription`."""
    lock_planning()
    moving = moving_with(subscription)
    confirmed = confirm(subscription=subscription, now=now)
    for moved in (subscription, *moving):
        _replace_old(moved if moved == subscription else confirm(subscription=moved, now=now), now=now)
    return confirmed


def _replace_old(new: Subscription, *, now: dt.datetime) -> None:
    """End the old address's subscription and continue from its watermarks."""
    new = Subscription.objects.select_related("replaces", "person").get(pk=new.pk)
    old = new.replaces
    if old is None or old.is_ended:
        return
    reached = Watermark.objects.filter(recipient=old.person_id).exclude(reading_class=Watermark.Reading.NONE)
    for plan, number in reached.values_list("plan", "number"):
        Watermark.objects.filter(recipient=new.person_id, plan=plan, number__gt=number).update(number=number)
    watermarks = SubjectWatermark.objects.filter(recipient=old.person_id)
    for subject, number in watermarks.values_list("subject", "number"):
        SubjectWatermark.objects.filter(recipient=new.person_id, subject=subject, number__gt=number).update(
            number=number
        )
    was_paused = old.is_paused
    stop(subscriptions=[old], author=None, reason="Replaced by another address.", now=now, is_refusal=False)
    if was_paused:
        pause(subscription=new, author=new.person, now=now)
    else:
        catch_up(people=[new.person_id], now=now)


def hide_new_address(*, person: User) -> int:
    """Hide the address that a person has now from organisations that added them.

    For people who change the address of their account. Returns the number of subscriptions.
    """
    added = Subscription.objects.filter(person=person, added_for__isnull=False, has_own_address=False)
    return added.update(has_own_address=True)
