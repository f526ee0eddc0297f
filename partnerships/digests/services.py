"""Subscribing, confirming, pausing and stopping; choosing how often; asking for another try. Every change has an
author."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Q, QuerySet

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership
from partnerships.digests.links import site_host
from partnerships.digests.matches import schedule_matches, take_back
from partnerships.digests.models import (
    OPEN,
    REFUSAL_HOLDS,
    Delivery,
    DeliveryItem,
    DeliveryKind,
    DeliveryStatus,
    Frequency,
    How,
    MatchTold,
    Preference,
    RoleRule,
    Subscription,
    SubscriptionStatus,
    Suppression,
    Told,
)
from partnerships.digests.queries.ledger import SENT_AGAIN
from partnerships.digests.queries.naming import askable_anew, may_still_be_asked, open_to_askers
from partnerships.digests.roles import apply
from partnerships.digests.watermarks import (
    catch_up,
    count_as_told,
    drop_what_nobody_follows,
    one_at_a_time,
    work_out_again,
)
from partnerships.organisations.models import Organisation
from partnerships.people.models import SecurityEvent, SecurityEventKind, User
from partnerships.people.services import UnableToAddPerson, person_for_address
from partnerships.plans.models import Plan

Target = Plan | Partnership | Organisation

#: Invitations to stakeholders a day and organisation, so that nobody's address is used to flood others.
MOST_ASKED_A_DAY = 200
#: Letters a day by which one organisation may ask one person, about whatever.
MOST_ASKED_A_PERSON = 5
#: How often somebody may be asked to confirm one thing, as long as a refusal would hold.
MOST_TIMES_ASKED = 3
#: Letters with new links a day and person: whoever knows an address may ask for them.
MOST_LINKS_A_DAY = 3
#: To whoever follows nothing any more one such letter goes in so long: a stranger who types their address is no reason
#: to write to them, but it is also their own way back.
LINKS_AFTER_A_STOP = dt.timedelta(days=30)


class UnableToSubscribe(Exception):
    """The address is none, mail to it comes back, or there is nothing to follow."""


class UnableToChangeSubscription(Exception):
    """It is over, or not confirmed yet."""


class UnableToSendAgain(Exception):
    """The letter is no longer kept, or is still on its way."""


@transaction.atomic
def note_look(
    *, person: User, administrator: User, verb: str, kind: str, number: int, reason: str, now: dt.datetime
) -> None:
    """Write down that an administrator looks at what somebody is told; the person reads it in their security log."""
    SecurityEvent.objects.create(person=person, kind=SecurityEventKind.DIGEST_SEEN, at=now)
    record(
        actor_id=administrator.pk,
        verb=verb,
        target_kind=kind,
        target_id=number,
        now=now,
        data={"reason": reason},
    )


def about(target: Target) -> dict[str, Any]:
    """The fields of a subscription to a plan, a partnership or an organisation."""
    kind = {Plan: "plan", Partnership: "partnership", Organisation: "organisation"}[type(target)]
    return {"plan": None, "partnership": None, "organisation": None, kind: target}


def _note(subscription: Subscription, verb: str, *, author: User | None, now: dt.datetime, **data: Any) -> None:
    record(
        actor_id=author.pk if author else None,
        organisation_id=subscription.added_for_id,
        verb=verb,
        target_kind="subscription",
        target_id=subscription.pk,
        within_kind=subscription.target_kind,
        within_id=subscription.plan_id or subscription.partnership_id or subscription.organisation_id,
        now=now,
        data=data,
    )


# ---- Subscribing


@transaction.atomic
def subscribe(
    *, person: User, target: Target, author: User | None, frequency: str = "", now: dt.datetime
) -> Subscription:
    """Follow something oneself. The caller has checked that the person may see it.

    Who has an account is confirmed at once and counts as told of the present versions; a stakeholder is asked by
    letter. What they had paused is resumed. Raises `UnableToSubscribe`.
    """
    return _ask(
        person=person,
        target=target,
        how=How.SELF,
        author=author,
        added_for=None,
        why="",
        frequency=frequency,
        confirmed=not person.is_stakeholder,
        now=now,
    )


@transaction.atomic
def ask_for(*, email: str, target: Plan, frequency: str = "", now: dt.datetime) -> None:
    """Somebody typed an address that wants digests about a public plan: whoever has it is asked by letter.

    A typed address decides nothing. Who wants no more questions, stopped everything, or said no to this plan (even if a
    partner has asked about it again since) is sent nothing, nor is anybody where no letter may go (mail comes back, too
    many were sent). Anybody else who follows the plan already is sent new links instead. No name is taken from somebody
    unknown: it would greet whoever has the address in the site's own letter.
    """
    known = Subscription.objects.filter(person__email__iexact=email.strip(), plan=target).first()
    if Preference.objects.filter(person__email__iexact=email.strip(), refused_at__isnull=False).exists():
        return
    if known is not None and known.refused_at is not None:
        return
    if known is not None and (known.is_confirmed or known.is_paused):
        send_links(person=known.person, now=now)
        return
    with suppress(UnableToSubscribe, UnableToAddPerson), transaction.atomic():
        if known is not None and known.is_waiting:
            _check_letters(known, now=now)
            remind(subscription=known, now=now)
        else:
            _ask(
                person=person_for_address(email=email),
                target=target,
                how=How.SELF,
                author=None,
                added_for=None,
                why="",
                frequency=frequency,
                confirmed=False,
                now=now,
            )


@transaction.atomic
def add_stakeholder(
    *,
    email: str,
    name: str,
    target: Target,
    author: User,
    organisation: Organisation,
    why: str = "",
    frequency: str = "",
    now: dt.datetime,
) -> Subscription:
    """Ask somebody, on behalf of an organisation, whether they want digests; nothing is sent until they confirm.

    What they paused stays paused; what they refused themselves stays refused for a while. Raises `UnableToSubscribe`.
    """
    try:
        person = person_for_address(email=email, name=name)
    except UnableToAddPerson as error:
        raise UnableToSubscribe(str(error)) from error
    return _ask(
        person=person,
        target=target,
        how=How.LEAD,
        author=author,
        added_for=organisation,
        why=why.strip(),
        frequency=frequency,
        confirmed=False,
        now=now,
    )


@transaction.atomic
def enrol(
    *,
    person: User,
    target: Target,
    author: User | None,
    organisation: Organisation | None = None,
    why: str = "",
    frequency: str = "",
    now: dt.datetime,
) -> Subscription:
    """A subscription that is already confirmed elsewhere (a loaded network); counts as told of the present versions.

    A stakeholder's needs the organisation on whose behalf they are told. Raises `UnableToSubscribe`.
    """
    return _ask(
        person=person,
        target=target,
        how=How.LEAD if organisation is not None else How.SELF,
        author=author,
        added_for=organisation,
        why=why.strip(),
        frequency=frequency,
        confirmed=True,
        now=now,
    )


def _ask(
    *,
    person: User,
    target: Target,
    how: str,
    author: User | None,
    added_for: Organisation | None,
    why: str,
    frequency: str,
    confirmed: bool,
    now: dt.datetime,
) -> Subscription:
    one_at_a_time()
    if not person.is_active:
        raise UnableToSubscribe("This person has left.")
    if Suppression.objects.filter(address__iexact=person.email, released_at=None).exists():
        raise UnableToSubscribe("Mail to this address comes back: ask an administrator to release it first.")
    if frequency and frequency not in Frequency.values:
        raise UnableToSubscribe("Choose how often from the list.")
    fields = about(target)
    Preference.objects.get_or_create(person=person)
    subscription, made = Subscription.objects.select_for_update().get_or_create(
        person=person,
        **fields,
        defaults={
            "how": how,
            "added_by": author,
            "added_for": added_for,
            "why": why[:300],
            "frequency": frequency,
            "asked_at": now,
        },
    )
    if not made:
        by_themselves = how == How.SELF and author == person
        if subscription.is_paused and by_themselves:
            resume(subscription=subscription, author=author, now=now)
        if subscription.is_confirmed or subscription.is_paused:
            return subscription
        if subscription.is_waiting and how == How.LEAD and not confirmed:
            return subscription
        # A partner may ask again after a while, whoever types an address never.
        if not by_themselves and (subscription.is_refused if how == How.SELF else subscription.was_refused(now)):
            raise UnableToSubscribe("They said no to this themselves not long ago: only they can ask for it again.")
        subscription.how, subscription.added_by, subscription.added_for = how, author, added_for
        subscription.why, subscription.frequency = why[:300], frequency or subscription.frequency
        subscription.status, subscription.asked_at, subscription.confirmed_at = SubscriptionStatus.ASKED, now, None
        subscription.ended_at, subscription.reason = None, ""
        if by_themselves:  # to anybody else's question their no stands until they answer it
            subscription.refused_at = None
        subscription.save()
    _note(subscription, "asked to be told of", author=author, now=now, person=person.pk, how=how)
    if author == person:
        _take_refusal_back(person)
    if confirmed:
        _confirm(subscription, author=author, now=now)
    else:
        _check_asker(subscription, now=now)
        _check_letters(subscription, now=now)
        _send_confirmation(subscription, now=now)
    return subscription


def _check_asker(subscription: Subscription, *, now: dt.datetime) -> None:
    """Whether the organisation that asks may itself read what it asks about; raises `UnableToSubscribe`.

    Whether the person asked may read it is not looked at: of an address without an account that is always so, and any
    other answer would say at once of each address typed that it has one. Where they may not, no letter leaves, and the
    question ends (`give_up_asking`).
    """
    if subscription.added_for is not None and not open_to_askers([subscription], now):
        raise UnableToSubscribe(
            f"{subscription.added_for.display_name} may not read this itself, so it can ask nobody about it."
        )


def _check_letters(subscription: Subscription, *, now: dt.datetime) -> None:
    """Whether one more letter may ask the person; letters are counted, so that ending and adding again wins nothing.

    Raises `UnableToSubscribe`.
    """
    asking = Delivery.objects.filter(kind=DeliveryKind.CONFIRMATION)
    if asking.filter(subscription=subscription, created_at__gt=now - REFUSAL_HOLDS).count() >= MOST_TIMES_ASKED:
        raise UnableToSubscribe(f"They were asked {MOST_TIMES_ASKED} times: speak to them instead.")
    organisation = subscription.added_for
    today = asking.filter(subscription__added_for=organisation, created_at__gt=now - dt.timedelta(days=1))
    if organisation is None:
        if today.filter(recipient=subscription.person).count() >= MOST_ASKED_A_PERSON:
            raise UnableToSubscribe(
                f"This address was asked {MOST_ASKED_A_PERSON} times today: answer there, or try again tomorrow."
            )
        return
    if today.count() >= MOST_ASKED_A_DAY:
        raise UnableToSubscribe(
            f"{organisation.display_name} has sent {MOST_ASKED_A_DAY} such letters today: try again tomorrow."
        )
    if today.filter(recipient=subscription.person).count() >= MOST_ASKED_A_PERSON:
        raise UnableToSubscribe(
            f"{organisation.display_name} has asked this person {MOST_ASKED_A_PERSON} times today: try again tomorrow."
        )


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
    _check_asker(locked, now=now)
    _check_letters(locked, now=now)
    _send_confirmation(locked, now=now)
    _note(locked, "asked again to confirm digests about", author=author, now=now)


@transaction.atomic
def remind(*, subscription: Subscription, now: dt.datetime, most: int = 1) -> None:
    """Send the letter that asks to confirm once more because the person wants it: so many a day at most.

    Nothing goes where it was answered meanwhile or mail comes back.
    """
    locked = Subscription.objects.select_for_update(of=("self",)).select_related("person").get(pk=subscription.pk)
    letters = Delivery.objects.filter(subscription=locked, kind=DeliveryKind.CONFIRMATION)
    if locked.is_waiting and _may_be_written_to(locked.person, letters, most=most, now=now):
        _send_confirmation(locked, now=now)
        _note(locked, "was sent the question again about", author=None, now=now)


@transaction.atomic
def ask_anew(*, subscription: Subscription, now: dt.datetime) -> None:
    """The person, by a link of theirs, wants to be asked once more about what waits or what they said no to: the letter
    goes to their own address, a few a day at most, and only their answer to it changes what they are told.

    Raises `UnableToChangeSubscription` where whoever asked them may no longer read it, nothing is to be asked, or the
    no is so old that a partner may ask again.
    """
    locked = Subscription.objects.select_for_update(of=("self",)).for_listing().get(pk=subscription.pk)
    if not (locked.is_waiting or askable_anew([locked], now)) or not may_still_be_asked(locked, now):
        raise UnableToChangeSubscription("There is nothing to ask you about this any more.")
    if locked.is_refused:
        locked.status, locked.asked_at, locked.confirmed_at = SubscriptionStatus.ASKED, now, None
        locked.ended_at, locked.reason, locked.refused_at = None, "", None
        locked.save(update_fields=["status", "asked_at", "confirmed_at", "ended_at", "reason", "refused_at"])
        _take_refusal_back(locked.person)
        _note(locked, "wants to be asked again about", author=locked.person, now=now)
    remind(subscription=locked, now=now, most=MOST_LINKS_A_DAY)


def _take_refusal_back(person: User) -> None:
    """Who asks for something themselves has no longer stopped everything."""
    Preference.objects.filter(person=person, refused_at__isnull=False).update(refused_at=None)


@transaction.atomic
def refuse_questions(*, person: User, now: dt.datetime) -> None:
    """The person wants no letter because somebody typed their address; what they follow goes on."""
    Preference.objects.filter(person=person).update(refused_at=now)
    record(actor_id=person.pk, verb="wants no more questions", target_kind="person", target_id=person.pk, now=now)


@transaction.atomic
def allow_questions(*, person: User, now: dt.datetime) -> None:
    """The person, who had stopped everything or refused questions, may be asked again when their address is typed."""
    _take_refusal_back(person)
    record(actor_id=person.pk, verb="may be asked again", target_kind="person", target_id=person.pk, now=now)


@transaction.atomic
def send_links(*, person: User, now: dt.datetime, by_own_link: bool = False) -> None:
    """Send new links to a person's own address: to choose how often, to read their last digest, to stop.

    To whoever never asked for or got anything none goes, nor more than so many a day; to whoever follows nothing any
    more and did not ask by a link of their own, only one in a long while.
    """
    locked = User.objects.select_for_update().get(pk=person.pk)
    letters = Delivery.objects.filter(recipient=locked, kind=DeliveryKind.LINKS)
    known = locked.subscriptions.exists() or locked.deliveries.exists()
    if not by_own_link and not locked.subscriptions.live().exists():
        known = known and not letters.filter(created_at__gt=now - LINKS_AFTER_A_STOP).exists()
    if known and _may_be_written_to(locked, letters, most=MOST_LINKS_A_DAY, now=now):
        Delivery.objects.create(
            recipient=locked,
            kind=DeliveryKind.LINKS,
            message_id=new_message_id(),
            available_at=now,
            created_at=now,
        )
        record(actor_id=None, verb="was sent new links", target_kind="person", target_id=locked.pk, now=now)


def _may_be_written_to(person: User, letters: QuerySet[Delivery], *, most: int, now: dt.datetime) -> bool:
    """Whether one more of these letters may go to a person within a day."""
    if not person.is_active or Suppression.objects.filter(address__iexact=person.email, released_at=None).exists():
        return False
    return letters.filter(created_at__gt=now - dt.timedelta(days=1)).count() < most


def _send_confirmation(subscription: Subscription, *, now: dt.datetime) -> None:
    Delivery.objects.create(
        recipient=subscription.person,
        kind=DeliveryKind.CONFIRMATION,
        subscription=subscription,
        message_id=new_message_id(),
        available_at=now,
        created_at=now,
    )


def new_message_id() -> str:
    """A Message-ID that nobody has had (RFC 5322, 3.6.4)."""
    return f"<{uuid.uuid4()}@{site_host()}>"


def _confirm(subscription: Subscription, *, author: User | None, now: dt.datetime) -> None:
    subscription.status = SubscriptionStatus.CONFIRMED
    subscription.confirmed_at = now
    subscription.ended_at, subscription.reason, subscription.refused_at = None, "", None
    subscription.save(update_fields=["status", "confirmed_at", "ended_at", "reason", "refused_at"])
    count_as_told(subscriptions=[subscription.pk], now=now)
    if author == subscription.person and subscription.how == How.SELF:  # a yes to a partner is no more than that
        _take_refusal_back(subscription.person)
    _note(subscription, "confirmed digests about", author=author, now=now)


@transaction.atomic
def confirm(*, subscription: Subscription, now: dt.datetime) -> Subscription:
    """The person says yes, by their own link or signed in; counts as told of the present versions. Twice is as good as
    once.

    Raises `UnableToChangeSubscription` when it was ended meanwhile, or may no longer be read.
    """
    one_at_a_time()
    locked = Subscription.objects.select_for_update(of=("self",)).for_listing().get(pk=subscription.pk)
    if locked.is_ended:
        raise UnableToChangeSubscription("This was ended, and nothing is sent. Ask to be added again if you want it.")
    if locked.is_waiting:
        if not may_still_be_asked(locked, now):
            raise UnableToChangeSubscription("It is no longer open to you, or to whoever asked: nothing is sent.")
        _confirm(locked, author=locked.person, now=now)
    return locked


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
        _note(locked, "could not be asked about", author=None, now=now)


@transaction.atomic
def set_role_rule(*, target: Plan | Partnership, author: User, now: dt.datetime) -> RoleRule:
    """Tell everyone of a role: all people of a partnership's parties, or the signatories of a plan."""
    one_at_a_time()
    kind = {"plan": target} if isinstance(target, Plan) else {"partnership": target}
    role = RoleRule.Role.SIGNATORIES if isinstance(target, Plan) else RoleRule.Role.MEMBERS
    rule, made = RoleRule.objects.get_or_create(**kind, role=role, defaults={"set_by": author, "set_at": now})
    if made:
        apply(RoleRule.objects.filter(pk=rule.pk), now=now)
        record(
            actor_id=author.pk,
            verb="tells everyone of",
            target_kind="plan" if isinstance(target, Plan) else "partnership",
            target_id=target.pk,
            now=now,
            data={"role": role},
        )
    return rule


@transaction.atomic
def end_role_rule(*, rule: RoleRule, author: User, reason: str, now: dt.datetime) -> int:
    """Stop telling a role; what came of it ends, other subscriptions stay. Returns how many ended."""
    came_of_it = Subscription.objects.live().filter(
        how=How.ROLE, **({"plan": rule.plan_id} if rule.plan_id else {"partnership": rule.partnership_id})
    )
    ended = stop(subscriptions=came_of_it, author=author, reason=reason, now=now, is_refusal=False)
    record(
        actor_id=author.pk,
        verb="no longer tells everyone of",
        target_kind="plan" if rule.plan_id else "partnership",
        target_id=rule.plan_id or rule.partnership_id or 0,
        now=now,
        data={"role": rule.role, "reason": reason},
    )
    rule.delete()
    return ended


# ---- Stopping, pausing, choosing how often


@transaction.atomic
def stop(
    *,
    subscriptions: Iterable[Subscription],
    author: User | None,
    reason: str,
    now: dt.datetime,
    is_refusal: bool = True,
) -> int:
    """End subscriptions; what waits for nobody any more is dropped, and letters not yet claimed with it. Who ends
    their own has refused it, unless it ends for a whole role: nobody asks them again soon. What they refused before,
    and were asked about again without answering, stays refused whoever ends it. Returns how many ended."""
    ended = 0
    people: set[int] = set()
    for subscription in (
        Subscription.objects.select_for_update().filter(pk__in=[one.pk for one in subscriptions]).order_by("pk")
    ):
        if subscription.is_ended:
            continue
        subscription.status, subscription.ended_at = SubscriptionStatus.ENDED, now
        subscription.reason = reason[:300]
        if is_refusal and author is not None and author.pk == subscription.person_id:
            subscription.refused_at = now
        subscription.save(update_fields=["status", "ended_at", "reason", "refused_at"])
        _note(subscription, "ended digests about", author=author, now=now, reason=reason)
        people.add(subscription.person_id)
        ended += 1
    drop_what_nobody_follows(people)
    return ended


@transaction.atomic
def stop_everything(*, person: User, author: User | None, reason: str, now: dt.datetime) -> int:
    """End all of a person's digests, and stop telling them of new matches; where they did so themselves, whoever types
    their address asks them nothing any more."""
    MatchTold.objects.filter(recipient=person, told_at=None).delete()
    Preference.objects.filter(person=person).update(tells_matches=False)
    if author == person:
        Preference.objects.filter(person=person).update(refused_at=now)
    return stop(subscriptions=Subscription.objects.live().filter(person=person), author=author, reason=reason, now=now)


@transaction.atomic
def pause(*, subscription: Subscription, author: User | None, now: dt.datetime) -> None:
    """Say nothing of this one until it is resumed. Raises `UnableToChangeSubscription`."""
    _change(subscription, SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED, "paused digests about", author, now)
    drop_what_nobody_follows([subscription.person_id])


@transaction.atomic
def resume(*, subscription: Subscription, author: User | None, now: dt.datetime) -> None:
    """Tell of it again, beginning with what changed since they were last told. Raises `UnableToChangeSubscription`."""
    one_at_a_time()
    _change(subscription, SubscriptionStatus.PAUSED, SubscriptionStatus.CONFIRMED, "resumed digests about", author, now)
    catch_up(people=[subscription.person_id], now=now)


def _change(
    subscription: Subscription, before: str, after: str, verb: str, author: User | None, now: dt.datetime
) -> None:
    changed = Subscription.objects.filter(pk=subscription.pk, status=before).update(status=after)
    if not changed:
        raise UnableToChangeSubscription(f"This is {subscription.get_status_display().lower()}: look again.")
    subscription.status = after
    _note(subscription, verb, author=author, now=now, before=before, after=after)


@transaction.atomic
def set_frequency(*, subscription: Subscription, frequency: str, author: User | None, now: dt.datetime) -> None:
    """Choose how often for this one alone; empty means as the person prefers. Raises `UnableToChangeSubscription`."""
    if frequency and frequency not in Frequency.values:
        raise UnableToChangeSubscription("Choose how often from the list.")
    one_at_a_time()
    before = subscription.frequency
    subscription.frequency = frequency
    subscription.save(update_fields=["frequency"])
    _note(subscription, "chose how often for", author=author, now=now, before=before, after=frequency)
    work_out_again(people=[subscription.person_id], now=now)


@transaction.atomic
def prefer(
    *,
    person: User,
    frequency: str,
    hour: int,
    weekday: int,
    working_days_only: bool,
    paused_until: dt.date | None,
    time_zone: str,
    tells_matches: bool | None = None,
    author: User | None,
    now: dt.datetime,
) -> Preference:
    """Choose how often, when, and from when on; what waits is worked out again at once.

    A letter that is queued for somebody who pauses is withdrawn and told later. Raises `UnableToChangeSubscription`.
    """
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnableToChangeSubscription("Choose a time zone from the list.") from error
    one_at_a_time()
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    names = ("frequency", "hour", "weekday", "working_days_only", "paused_until", "tells_matches")
    before = {name: str(getattr(preference, name)) for name in names} | {"time_zone": person.time_zone}
    was_paused = preference.pause_at(now, person.time_zone) is not None
    preference.frequency, preference.hour, preference.weekday = frequency, hour, weekday
    preference.working_days_only, preference.paused_until = working_days_only, paused_until
    if tells_matches is not None:
        preference.tells_matches = tells_matches
    preference.full_clean(exclude=["person"])
    preference.save(update_fields=names)
    if person.time_zone != time_zone:
        person.time_zone = time_zone
        person.save(update_fields=["time_zone"])
    is_paused = preference.pause_at(now, time_zone) is not None
    if is_paused or was_paused:
        _withdraw_queued(person, now=now)
    if was_paused and not is_paused:
        Delivery.objects.filter(recipient=person, kind=DeliveryKind.DIGEST, status=DeliveryStatus.QUEUED).update(
            available_at=now
        )
    work_out_again(people=[person.pk], now=now)
    if not preference.tells_matches:
        MatchTold.objects.filter(recipient=person, told_at=None).delete()
    schedule_matches(now=now, people=[person.pk])
    record(
        actor_id=author.pk if author else None,
        verb="chose how often digests come",
        target_kind="person",
        target_id=person.pk,
        now=now,
        data={
            "before": before,
            "after": {name: str(getattr(preference, name)) for name in names} | {"time_zone": time_zone},
        },
    )
    return preference


@transaction.atomic
def end_pause(*, person: User, author: User | None, now: dt.datetime) -> None:
    """Let digests come again before the day that was chosen; one catches up."""
    preference = Preference.objects.get(person=person)
    prefer(
        person=person,
        frequency=preference.frequency,
        hour=preference.hour,
        weekday=preference.weekday,
        working_days_only=preference.working_days_only,
        paused_until=None,
        time_zone=person.time_zone,
        author=author,
        now=now,
    )


def _withdraw_queued(person: User, *, now: dt.datetime) -> None:
    """Put what a queued letter would have said back to waiting; one in doubt waits itself, to be the same again."""
    queued = Delivery.objects.select_for_update(skip_locked=True).filter(
        recipient=person,
        kind=DeliveryKind.DIGEST,
        status=DeliveryStatus.QUEUED,
        repeat_of=None,
        in_doubt=False,
    )
    for delivery in queued:
        Told.objects.filter(
            recipient=person, plan__in=DeliveryItem.objects.told().filter(delivery=delivery).values("plan")
        ).update(due_at=now, waiting_since=delivery.created_at)
        take_back(delivery.pk)
        delivery.delete()


def renew_links(*, person: User, author: User | None, now: dt.datetime) -> None:
    """Make every link that was sent to this person worthless."""
    preference, _ = Preference.objects.get_or_create(person=person)
    preference.link_key = secrets.token_hex(16)
    preference.save(update_fields=["link_key"])
    record(
        actor_id=author.pk if author else None,
        verb="renewed the links of",
        target_kind="person",
        target_id=person.pk,
        now=now,
    )


@transaction.atomic
def send_again(*, delivery: Delivery, author: User, reason: str = "", now: dt.datetime) -> Delivery:
    """Queue the same news once more, as a new letter; what may be read is checked again when it leaves.

    One repeat of a letter is under way at a time. Pages ask for a reason where the letter was received. Raises
    `UnableToSendAgain`.
    """
    delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    first = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.repeat_of_id or delivery.pk)
    items = list(DeliveryItem.objects.told().filter(delivery=delivery))
    if delivery.is_open:
        raise UnableToSendAgain("It is still on its way.")
    if delivery.kind != DeliveryKind.DIGEST or not items:
        raise UnableToSendAgain("There is nothing in it to send again.")
    if first.repeats.filter(status__in=OPEN).exists():
        raise UnableToSendAgain("It is queued again already: wait for what becomes of it.")
    repeat = Delivery.objects.create(
        recipient_id=delivery.recipient_id,
        kind=delivery.kind,
        message_id=new_message_id(),
        available_at=now,
        created_at=now,
        repeat_of=first,
    )
    DeliveryItem.objects.bulk_create(
        [
            DeliveryItem(
                delivery=repeat,
                plan_id=item.plan_id,
                from_number=item.from_number,
                to_number=item.to_number,
                reading_class=item.reading_class,
            )
            for item in items
        ]
    )
    record(
        actor_id=author.pk,
        verb=SENT_AGAIN,
        target_kind="delivery",
        target_id=delivery.pk,
        now=now,
        data={"repeat": repeat.pk, "status": delivery.status, "reason": reason.strip()[:300]},
    )
    return repeat


def subscriptions_about(target: Target) -> Q:
    """The condition on subscriptions that are about this very thing."""
    kind = {Plan: "plan", Partnership: "partnership", Organisation: "organisation"}[type(target)]
    return Q(**{kind: target.pk})
