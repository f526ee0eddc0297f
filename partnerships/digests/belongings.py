"""Offers the subscriptions of a person who leaves an organisation to a colleague.

The colleague is asked by email, and follows the plan or partnership after agreeing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.digests.models import Subscription, SubscriptionQuerySet, SubscriptionStatus
from partnerships.digests.models.targets import Target
from partnerships.digests.services import UnableToSubscribe, add_stakeholder
from partnerships.organisations.departures import Departure
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.owned import (
    OwnedKind,
    OwnedRecord,
    OwnershipHandover,
    UnableToHandOver,
    acting_people_of,
    former_people_of,
)
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan

#: The statuses of subscriptions whose person gets digests or wants them.
_RECEIVING = (SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED, SubscriptionStatus.SUPPRESSED)


def _subscriptions_about(organisation: Organisation | int) -> SubscriptionQuerySet:
    """Return the subscriptions to an organisation's partnerships, and to plans that it owns or can read there.

    The leads of the organisation may see the titles of all these records, so a handover may name them.
    """
    partnerships = Party.objects.accepted().filter(organisation=organisation).values("partnership")
    owned_plans = Plan.objects.owned_by(organisation).values("pk")
    is_shared = Q(partnership__in=partnerships) & ~Q(audience=Audience.OWNERS)
    plans = Plan.objects.filter(is_shared | Q(pk__in=owned_plans))
    return Subscription.objects.filter(Q(partnership__in=partnerships) | Q(plan__in=plans.values("pk")))


def _oldest_first(subscriptions: SubscriptionQuerySet) -> SubscriptionQuerySet:
    """Return the subscriptions with their plan or partnership, by target, the oldest of each target first."""
    return subscriptions.select_related("partnership", "plan").order_by("partnership", "plan", "pk")


def _records_followed(subscriptions: Iterable[Subscription]) -> list[OwnedRecord]:
    """Return the plans and partnerships of these subscriptions, each once, with the id of its first subscription."""
    subscription_by_target: dict[tuple[int | None, int | None], Subscription] = {}
    for subscription in subscriptions:
        subscription_by_target.setdefault((subscription.partnership_id, subscription.plan_id), subscription)
    return [
        OwnedRecord(subscription.pk, str(_target(subscription)), _target(subscription).get_absolute_url())
        for subscription in subscription_by_target.values()
    ]


def _target(subscription: Subscription) -> Target:
    """Return the plan or partnership of a subscription from `_subscriptions_about`."""
    target = subscription.plan or subscription.partnership
    assert target is not None
    return target


def _held(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return the records of an organisation that a person follows."""
    subscriptions = _subscriptions_about(organisation).filter(person=person, status__in=_RECEIVING)
    return _records_followed(_oldest_first(subscriptions))


def _subscriptions_of_leavers(organisation_id: int, now: dt.datetime) -> SubscriptionQuerySet:
    """Return the leavers' subscriptions to records that only leavers followed.

    A record is left out if a colleague gets digests about it, or has been asked whether they want them.
    """
    day = timezone.localdate(now)
    subscriptions = _subscriptions_about(organisation_id)
    # Leaving ends subscriptions, so subscriptions that ended on the leaver's last day or later count too.
    memberships = Membership.objects.filter(person=OuterRef("person"), organisation=organisation_id).order_by(
        "-ends_on"
    )
    leavers_subscriptions = subscriptions.filter(person__in=former_people_of(organisation_id, day), refused_at=None)
    leavers_subscriptions = leavers_subscriptions.annotate(gone_on=Subquery(memberships.values("ends_on")[:1]))
    has_ended_by_leaving = Q(status=SubscriptionStatus.ENDED, ended_at__date__gte=F("gone_on"))
    followed_by_leavers = leavers_subscriptions.filter(Q(status__in=_RECEIVING) | has_ended_by_leaving)

    colleagues_subscriptions = subscriptions.live().filter(person__in=acting_people_of(organisation_id, day))
    partnerships_of_colleagues = colleagues_subscriptions.exclude(partnership=None).values("partnership")
    plans_of_colleagues = colleagues_subscriptions.exclude(plan=None).values("plan")
    return _oldest_first(
        followed_by_leavers.exclude(partnership__in=partnerships_of_colleagues).exclude(plan__in=plans_of_colleagues)
    )


def _ask(
    subscription: Subscription, organisation: Organisation, colleague: User, author: User, now: dt.datetime
) -> None:
    """Ask the colleague by email whether they want to follow the leaver's plan or partnership."""
    add_stakeholder(
        email=colleague.email,
        name=colleague.name,
        target=_target(subscription),
        author=author,
        organisation=organisation,
        why="a colleague who left followed it",
        now=now,
    )


def _hand_over(handover: OwnershipHandover) -> None:
    """Ask a colleague whether they want to follow what a leaver followed. Raises `UnableToHandOver`."""
    subscription = Subscription.objects.select_related("partnership", "plan").get(pk=handover.pk)
    try:
        _ask(subscription, handover.organisation, handover.to, handover.author, handover.now)
    except UnableToSubscribe as error:
        raise UnableToHandOver(str(error)) from error


FOLLOWED = OwnedKind(
    code="followed",
    label="Followed",
    fields=("digests.Subscription.person",),
    held=_held,
    rows_without_owner=_subscriptions_of_leavers,
    to_records=_records_followed,
    hand_over=_hand_over,
)


def ask_successor(departure: Departure) -> int:
    """Ask the successor whether they want the digests that a leaver got.

    Returns the number of records that the successor was asked about; 0 without a successor, or if the author of the
    departure may not edit for the organisation.
    """
    membership, author = departure.membership, departure.author
    organisation = membership.organisation
    if departure.successor is None or author is None:
        return 0
    if not roles_of(author, departure.now).may_edit_for(organisation.pk):
        return 0
    asked_count = 0
    for record in _held(membership.person, organisation, timezone.localdate(departure.now)):
        subscription = Subscription.objects.select_related("partnership", "plan").get(pk=record.pk)
        with suppress(UnableToSubscribe):  # the successor follows the record already, or has refused
            _ask(subscription, organisation, departure.successor, author, departure.now)
            asked_count += 1
    return asked_count
