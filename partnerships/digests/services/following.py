"""Beginning to follow: oneself, through a partner, by typed address.

People who have not confirmed are asked by email.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db import transaction

from partnerships.agreements.models import Holder, Post
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Frequency, How, Preference, RoleRule, Subscription, SubscriptionStatus
from partnerships.digests.models.targets import Target, fields_of
from partnerships.digests.planning.roles import NO_LONGER, contacts_of, why_of_post
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.rights import may_choose_for, may_follow
from partnerships.digests.services.answering import mark_confirmed, withdraw_refusal
from partnerships.digests.services.asking import UnableToSubscribe, check_asker, check_limits, remind, send_question
from partnerships.digests.services.new_links import send_links
from partnerships.digests.services.recording import record_event
from partnerships.digests.services.stopping import resume
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.people.models import User
from partnerships.people.refusals import has_refused
from partnerships.people.services import UnableToAddPerson, person_for_address
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation


@transaction.atomic
def subscribe(
    *, person: User, target: Target, author: User | None, frequency: str = "", now: dt.datetime
) -> Subscription:
    """Follow something oneself.

    With an account it is confirmed at once, starting at the present versions; a stakeholder is asked by email. A paused
    subscription is resumed. Raises `UnableToSubscribe`.
    """
    lock_planning()
    require(may_follow(person, target, roles_of(author, now)))
    return _begin(
        person=person,
        target=target,
        how=How.SELF,
        author=author,
        frequency=frequency,
        confirmed=not person.is_stakeholder,
        now=now,
    )


@transaction.atomic
def ask_for(*, email: str, target: Plan, frequency: str = "", now: dt.datetime) -> None:
    """Ask the owner of a typed address about digests of a public plan.

    Typing an address decides nothing. People who refused questions, stopped everything or refused this plan get
    nothing, and neither do suppressed addresses or those that reached a limit. People who already follow the plan get
    new links instead. No name is accepted, because our email would greet the owner of the address with it.
    """
    known_subscription = Subscription.objects.filter(person__email__iexact=email.strip(), plan=target, key="").first()
    if Preference.objects.filter(person__email__iexact=email.strip(), refused_at__isnull=False).exists():
        return
    if known_subscription is not None and known_subscription.refused_at is not None:
        return
    if known_subscription is not None and (known_subscription.is_confirmed or known_subscription.is_paused):
        send_links(person=known_subscription.person, now=now)
        return
    with suppress(UnableToSubscribe, UnableToAddPerson), transaction.atomic():
        if known_subscription is not None and known_subscription.is_waiting:
            check_limits(known_subscription, now=now)
            remind(subscription=known_subscription, now=now)
        else:
            lock_planning()
            _begin(
                person=person_for_address(email=email),
                target=target,
                how=How.SELF,
                author=None,
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
    """Ask somebody for an organisation whether they want digests.

    Nothing else is sent until they confirm. A paused subscription stays paused, and a refusal holds for a while. Raises
    `UnableToSubscribe`.
    """
    lock_planning()
    require(roles_of(author, now).edit_for(organisation.pk))
    if isinstance(target, Recommendation):
        raise UnableToSubscribe("Only people with an account can follow a recommendation.")
    try:
        person = person_for_address(email=email, name=name)
    except UnableToAddPerson as error:
        raise UnableToSubscribe(str(error)) from error
    return _begin(
        person=person,
        target=target,
        how=How.LEAD,
        author=author,
        added_for=organisation,
        why=why,
        frequency=frequency,
        confirmed=False,
        now=now,
    )


def ask_post_contacts(*, now: dt.datetime) -> int:
    """Ask holders of posts without an account about digests; returns how many.

    They are asked once by email whether they want what their post follows, and get digests once they agree.
    When somebody else holds the post, their subscription ends (`planning.roles`). May run twice.
    """
    rules = RoleRule.objects.filter(role=RoleRule.Role.POST, post__in=Post.objects.in_use(), set_by__isnull=False)
    contacts = [
        (rule, holder)
        for rule in rules.select_related("partnership", "plan", "post__organisation", "set_by").order_by("pk")
        for holder in contacts_of(rule)
    ]
    return sum(_ask_contact(rule, holder, now) for rule, holder in contacts)


@transaction.atomic
def _ask_contact(rule: RoleRule, holder: Holder, now: dt.datetime) -> bool:
    """Ask the holder of a post who has no account to follow what the post follows; returns whether it could."""
    lock_planning()
    target = rule.plan or rule.partnership
    assert target is not None  # a constraint
    assert rule.post is not None  # a constraint
    with suppress(UnableToAddPerson, UnableToSubscribe):
        person = person_for_address(email=holder.email, name=holder.name)
        earlier = Subscription.objects.filter(person=person, **fields_of(target)).first()
        again = earlier is not None and earlier.is_ended and earlier.reason == NO_LONGER
        if not person.is_stakeholder or (earlier is not None and not again):
            return False
        with transaction.atomic():
            _begin(
                person=person,
                target=target,
                how=How.ROLE,
                author=rule.set_by,
                added_for=rule.post.organisation,
                why=why_of_post(rule.post),
                frequency="",
                confirmed=False,
                now=now,
            )
        return True
    return False


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
    """Add a subscription confirmed elsewhere, such as in a network file.

    It starts at the present versions. A stakeholder needs an organisation, and an author who edits for it. Raises
    `UnableToSubscribe`.
    """
    lock_planning()
    roles = roles_of(author, now)
    require(may_choose_for(person, roles) if organisation is None else roles.edit_for(organisation.pk))
    return _begin(
        person=person,
        target=target,
        how=How.LEAD if organisation is not None else How.SELF,
        author=author,
        added_for=organisation,
        why=why,
        frequency=frequency,
        confirmed=True,
        now=now,
    )


def _begin(
    *,
    person: User,
    target: Target,
    how: str,
    author: User | None,
    added_for: Organisation | None = None,
    why: str = "",
    frequency: str,
    confirmed: bool,
    now: dt.datetime,
) -> Subscription:
    """Subscribe a person to a target, confirmed or asked by email first. Raises `UnableToSubscribe`."""
    lock_planning()
    by_themselves = how == How.SELF and author == person
    _check_may_be_asked(person, frequency, by_themselves=by_themselves)
    request = {
        "how": how,
        "added_by": author,
        "added_for": added_for,
        "why": why.strip()[:300],
        "frequency": frequency,
        "asked_at": now,
    }
    Preference.objects.get_or_create(person=person)
    subscription, created = Subscription.objects.select_for_update().get_or_create(
        person=person, **fields_of(target), defaults=request
    )
    if not created:
        if subscription.is_paused and by_themselves:
            resume(subscription=subscription, author=author, now=now)
        if subscription.is_confirmed or subscription.is_paused:
            return subscription
        if subscription.is_waiting and how == How.LEAD and not confirmed:
            return subscription
        # A partner may ask again after a while; typing an address never reopens a refusal.
        if not by_themselves and (subscription.is_refused if how == How.SELF else subscription.was_refused(now)):
            raise UnableToSubscribe("They recently said no to this themselves. Only they can ask for it again.")
        _ask_again(subscription, request, by_themselves=by_themselves)
    record_event(subscription, EventKind.SUBSCRIBED, author=author, now=now, person=person.pk, how=how)
    if author == person:
        withdraw_refusal(person, now=now)
    if confirmed:
        mark_confirmed(subscription, author=author, now=now)
    else:
        check_asker(subscription, now=now)
        check_limits(subscription, now=now)
        send_question(subscription, now=now)
    return subscription


def _check_may_be_asked(person: User, frequency: str, *, by_themselves: bool) -> None:
    """Refuse people who have left or said no, and addresses that get no emails."""
    if not person.is_active:
        raise UnableToSubscribe("This person has left.")
    if not by_themselves and has_refused(person.email):
        raise UnableToSubscribe("The owner of this address asked not to be contacted. Only they can change that.")
    if is_suppressed(person.email):
        raise UnableToSubscribe("Emails to this address bounce. Ask an administrator to unblock it first.")
    if frequency and frequency not in Frequency.values:
        raise UnableToSubscribe("Choose how often from the list.")


def _ask_again(subscription: Subscription, request: Mapping[str, Any], *, by_themselves: bool) -> None:
    """Begin a subscription again that ended or was refused, as it was asked for now."""
    frequency = request["frequency"] or subscription.frequency
    for name, value in {**request, "frequency": frequency}.items():
        setattr(subscription, name, value)
    subscription.status, subscription.confirmed_at = SubscriptionStatus.ASKED, None
    subscription.ended_at, subscription.reason, subscription.has_own_address = None, "", False
    if by_themselves:  # otherwise their refusal stands until they answer
        subscription.refused_at = None
    subscription.save()
