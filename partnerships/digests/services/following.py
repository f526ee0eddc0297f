"""Services with which a person begins to follow a plan, a partnership or another target.

People may subscribe themselves, be asked by a partner, or enter their address on a public page. People without an
account are always asked by email to confirm.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from partnerships.agreements.models import Holder, Post
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import (
    Frequency,
    Preference,
    RoleRule,
    Subscription,
    SubscriptionOrigin,
    SubscriptionStatus,
)
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


@dataclass(frozen=True, slots=True)
class _Occasion:
    """How a subscription comes about: who adds it, for which organisation, and why."""

    how: SubscriptionOrigin
    author: User | None
    organisation: Organisation | None = None
    why: str = ""

    def is_own_wish_of(self, person: User) -> bool:
        """Return whether the person asks for these digests themselves, signed in or by their own link."""
        return self.how == SubscriptionOrigin.SELF and self.author == person


@transaction.atomic
def subscribe(
    *, person: User, target: Target, author: User | None, frequency: str = "", now: dt.datetime
) -> Subscription:
    """Make a person follow a target, at their own request. Raises `UnableToSubscribe`.

    For a person with an account, the subscription is confirmed at once and starts with the present versions. A
    stakeholder is asked by email. A paused subscription is resumed.
    """
    lock_planning()
    require(may_follow(person, target, roles_of(author, now)))
    return _start_subscription(
        person,
        target,
        _Occasion(SubscriptionOrigin.SELF, author),
        frequency=frequency,
        confirmed=not person.is_stakeholder,
        now=now,
    )


@transaction.atomic
def ask_for(*, email: str, target: Plan, frequency: str = "", now: dt.datetime) -> None:
    """Ask the owner of an address, which anybody may have entered, about digests of a public plan.

    * Nobody who refused confirmation emails, stopped everything or refused this plan gets an email. Suppressed
      addresses and addresses that have reached a limit get none either.
    * People who already follow the plan get new links instead.
    * There is no argument for a name, because our email would greet the owner of the address with it.
    """
    address = email.strip()
    subscription = Subscription.objects.filter(person__email__iexact=address, plan=target, key="").first()
    if Preference.objects.filter(person__email__iexact=address, refused_at__isnull=False).exists():
        return
    if subscription is not None and subscription.refused_at is not None:
        return
    if subscription is not None and (subscription.is_confirmed or subscription.is_paused):
        send_links(person=subscription.person, now=now)
        return
    with suppress(UnableToSubscribe, UnableToAddPerson), transaction.atomic():
        if subscription is not None and subscription.is_waiting:
            check_limits(subscription, now=now)
            remind(subscription=subscription, now=now)
        else:
            lock_planning()
            person = person_for_address(email=email)
            occasion = _Occasion(SubscriptionOrigin.SELF, author=None)
            _start_subscription(person, target, occasion, frequency=frequency, confirmed=False, now=now)


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
    """Ask a person, on behalf of an organisation, whether they want digests. Raises `UnableToSubscribe`.

    The person gets no other email before confirming. A paused subscription remains paused, and a refusal is valid for
    some time.
    """
    lock_planning()
    require(roles_of(author, now).may_edit_for(organisation.pk))
    if isinstance(target, Recommendation):
        raise UnableToSubscribe(
            "Only people with an account can follow a recommendation. Invite the person to create an account first."
        )
    try:
        person = person_for_address(email=email, name=name)
    except UnableToAddPerson as error:
        raise UnableToSubscribe(str(error)) from error
    occasion = _Occasion(SubscriptionOrigin.LEAD, author, organisation, why)
    return _start_subscription(person, target, occasion, frequency=frequency, confirmed=False, now=now)


def ask_post_contacts(*, now: dt.datetime) -> int:
    """Ask holders of posts who have no account whether they want digests of the records that their post follows.

    Returns how many were asked. Each holder is asked by email only once, and gets digests after agreeing. When another
    person becomes holder of the post, the subscription ends (`planning.roles`). May run twice.
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
    """Ask one holder of a post who has no account, and return whether an email was recorded."""
    lock_planning()
    target = rule.plan or rule.partnership
    assert target is not None  # a constraint
    assert rule.post is not None  # a constraint
    with suppress(UnableToAddPerson, UnableToSubscribe):
        person = person_for_address(email=holder.email, name=holder.name)
        if not person.is_stakeholder or _has_other_subscription(person, target):
            return False
        occasion = _Occasion(SubscriptionOrigin.ROLE, rule.set_by, rule.post.organisation, why_of_post(rule.post))
        with transaction.atomic():
            _start_subscription(person, target, occasion, frequency="", confirmed=False, now=now)
        return True
    return False


def _has_other_subscription(person: User, target: Target) -> bool:
    """Return whether the person has, or had, a subscription that did not end because they left the post."""
    subscription = Subscription.objects.filter(person=person, **fields_of(target)).first()
    if subscription is None:
        return False
    has_ended_with_post = subscription.is_ended and subscription.reason == NO_LONGER
    return not has_ended_with_post


@transaction.atomic
def add_confirmed_subscription(
    *,
    person: User,
    target: Target,
    author: User | None,
    organisation: Organisation | None = None,
    why: str = "",
    frequency: str = "",
    now: dt.datetime,
) -> Subscription:
    """Add a subscription that was confirmed elsewhere, such as in a network file. Raises `UnableToSubscribe`.

    It starts with the present versions. A stakeholder needs an organisation, and the author must be its editor or lead.
    """
    lock_planning()
    roles = roles_of(author, now)
    require(may_choose_for(person, roles) if organisation is None else roles.may_edit_for(organisation.pk))
    occasion = _Occasion(
        SubscriptionOrigin.LEAD if organisation is not None else SubscriptionOrigin.SELF, author, organisation, why
    )
    return _start_subscription(person, target, occasion, frequency=frequency, confirmed=True, now=now)


def _start_subscription(
    person: User, target: Target, occasion: _Occasion, *, frequency: str, confirmed: bool, now: dt.datetime
) -> Subscription:
    """Subscribe a person to a target: `confirmed` at once, or asked by email first. Raises `UnableToSubscribe`."""
    lock_planning()
    author, is_own_wish = occasion.author, occasion.is_own_wish_of(person)
    _check_may_be_asked(person, frequency, is_own_wish=is_own_wish)

    values = {
        "how": occasion.how,
        "added_by": author,
        "added_for": occasion.organisation,
        "why": occasion.why.strip()[:300],
        "frequency": frequency,
        "asked_at": now,
    }
    Preference.objects.get_or_create(person=person)
    subscription, created = Subscription.objects.select_for_update().get_or_create(
        person=person, **fields_of(target), defaults=values
    )
    if not created:
        if subscription.is_paused and is_own_wish:
            resume(subscription=subscription, author=author, now=now)
        if subscription.is_confirmed or subscription.is_paused:
            return subscription
        if subscription.is_waiting and occasion.how == SubscriptionOrigin.LEAD and not confirmed:
            return subscription
        _check_refusal(subscription, occasion, is_own_wish=is_own_wish, now=now)
        _restart_subscription(subscription, values, is_own_wish=is_own_wish)

    record_event(subscription, EventKind.SUBSCRIBED, author=author, now=now, person=person.pk, how=occasion.how)
    if author == person:
        withdraw_refusal(person, now=now)
    if confirmed:
        mark_confirmed(subscription, author=author, now=now)
    else:
        check_asker(subscription, now=now)
        check_limits(subscription, now=now)
        send_question(subscription, now=now)
    return subscription


def _check_refusal(subscription: Subscription, occasion: _Occasion, *, is_own_wish: bool, now: dt.datetime) -> None:
    """Raise `UnableToSubscribe` if the person refused these digests, and does not ask for them now themselves.

    A partner may ask again after some time. An address entered on a public page never reopens a refusal.
    """
    is_refused = (
        subscription.is_refused if occasion.how == SubscriptionOrigin.SELF else subscription.was_refused_recently(now)
    )
    if is_refused and not is_own_wish:
        raise UnableToSubscribe(
            "This person recently said no to these digests. Only they can ask for these digests again."
        )


def _check_may_be_asked(person: User, frequency: str, *, is_own_wish: bool) -> None:
    """Raise `UnableToSubscribe` for people who have left or refused, and for suppressed addresses."""
    if not person.is_active:
        raise UnableToSubscribe("This person has left. Choose another person.")
    if not is_own_wish and has_refused(person.email):
        raise UnableToSubscribe("The owner of this address asked not to be contacted. Only they can change that.")
    if is_suppressed(person.email):
        raise UnableToSubscribe("Emails to this address bounce. Ask an administrator to unblock it first.")
    if frequency and frequency not in Frequency.values:
        raise UnableToSubscribe("Choose from the list how often to send digests.")


def _restart_subscription(subscription: Subscription, values: Mapping[str, Any], *, is_own_wish: bool) -> None:
    """Start an ended subscription again with these values; without a new frequency, the old one applies."""
    frequency = values["frequency"] or subscription.frequency
    for field_name, value in {**values, "frequency": frequency}.items():
        setattr(subscription, field_name, value)
    subscription.status = SubscriptionStatus.ASKED
    subscription.confirmed_at = None
    subscription.ended_at = None
    subscription.reason = ""
    subscription.has_own_address = False
    if is_own_wish:  # otherwise the person's refusal is valid until they confirm
        subscription.refused_at = None
    subscription.save()
