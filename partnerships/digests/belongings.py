"""What a person follows, as belongings that pass to a colleague who agrees."""

from __future__ import annotations

import datetime as dt
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
    Handover,
    OwnedKind,
    Thing,
    UnableToHandOver,
    acting_for,
    left_by,
)
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan

_RECEIVING = (SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED, SubscriptionStatus.SUPPRESSED)


def _about(organisation: Organisation) -> SubscriptionQuerySet:
    """Subscriptions to an organisation's partnerships, and to plans that it owns or may read in these.

    Its leads may see the titles of all of these.
    """
    present = Party.objects.present().filter(organisation=organisation).values("partnership")
    owned = Plan.objects.owned_by(organisation).values("pk")
    shared = Q(partnership__in=present) & ~Q(audience=Audience.OWNERS)
    plans = Plan.objects.filter(shared | Q(pk__in=owned))
    return Subscription.objects.filter(Q(partnership__in=present) | Q(plan__in=plans.values("pk")))


def _records_followed(subscriptions: SubscriptionQuerySet) -> list[Thing]:
    """The records that these subscriptions are to, each once, by its oldest subscription."""
    ordered_subscriptions = subscriptions.select_related("partnership", "plan").order_by("partnership", "plan", "pk")
    subscription_by_target: dict[tuple[int | None, int | None], Subscription] = {}
    for subscription in ordered_subscriptions:
        subscription_by_target.setdefault((subscription.partnership_id, subscription.plan_id), subscription)
    return [
        Thing(subscription.pk, str(_target(subscription)), _target(subscription).get_absolute_url())
        for subscription in subscription_by_target.values()
    ]


def _target(subscription: Subscription) -> Target:
    target = subscription.plan or subscription.partnership
    assert target is not None
    return target


def _held(person: User, organisation: Organisation, day: dt.date) -> list[Thing]:
    return _records_followed(_about(organisation).filter(person=person, status__in=_RECEIVING))


def _left(organisation: Organisation, day: dt.date) -> list[Thing]:
    """What only leavers followed: no colleague gets digests about it, or was asked to."""
    about = _about(organisation)
    colleagues = about.live().filter(person__in=acting_for(organisation, day))
    ended = Membership.objects.filter(person=OuterRef("person"), organisation=organisation).order_by("-ends_on")
    leavers_subscriptions = about.filter(person__in=left_by(organisation, day), refused_at=None)
    followed = leavers_subscriptions.annotate(gone_on=Subquery(ended.values("ends_on")[:1])).filter(
        Q(status__in=_RECEIVING) | Q(status=SubscriptionStatus.ENDED, ended_at__date__gte=F("gone_on"))
    )
    return _records_followed(
        followed.exclude(partnership__in=colleagues.exclude(partnership=None).values("partnership")).exclude(
            plan__in=colleagues.exclude(plan=None).values("plan")
        )
    )


def _ask(subscription: Subscription, organisation: Organisation, to: User, author: User, now: dt.datetime) -> None:
    """Ask the colleague by email; they follow it once they agree."""
    add_stakeholder(
        email=to.email,
        name=to.name,
        target=_target(subscription),
        author=author,
        organisation=organisation,
        why="a colleague who left followed it",
        now=now,
    )


def _hand_over(handover: Handover) -> None:
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
    left=_left,
    hand_over=_hand_over,
)


def ask_successor(departure: Departure) -> int:
    """Ask the successor whether they want the digests that the leaver got; return how many were asked about."""
    membership, author = departure.membership, departure.author
    organisation = membership.organisation
    if departure.successor is None or author is None:
        return 0
    if not roles_of(author, departure.now).edit_for(organisation.pk):
        return 0
    count = 0
    for thing in _held(membership.person, organisation, timezone.localdate(departure.now)):
        subscription = Subscription.objects.select_related("partnership", "plan").get(pk=thing.pk)
        with suppress(UnableToSubscribe):
            _ask(subscription, organisation, departure.successor, author, departure.now)
            count += 1
    return count
