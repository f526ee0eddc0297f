"""Subscriptions as pages list them: one’s own, and those of stakeholders whom one’s organisations asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import QuerySet

from partnerships.digests.models import REFUSAL_HOLDS, Delivery, DeliveryKind, Subscription, SubscriptionStatus
from partnerships.digests.targets import Target, kind_of
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan


def subscriptions_of(person: User) -> QuerySet[Subscription]:
    """A person's own subscriptions that still stand, in the order of their page."""
    return Subscription.objects.live().for_listing().filter(person=person).order_by("-asked_at", "-pk")


def standing_or_refused(person: User) -> QuerySet[Subscription]:
    """The same and what the person said no to: they may be asked about it once more if they want."""
    own = Subscription.objects.for_listing().filter(person=person)
    return (own.live() | own.refused()).order_by("-asked_at", "-pk")


def may_ask_for(user: User) -> QuerySet[Organisation]:
    """Organisations on whose behalf the person may ask somebody whether they want digests: editors and leads."""
    return Organisation.objects.of_person(user, *EDITING_ROLES)


def stakeholders_of(user: User) -> QuerySet[Subscription]:
    """Subscriptions of stakeholders whom the person's organisations added, for their editors and leads."""
    return (
        Subscription.objects.live()
        .for_listing()
        .filter(added_for__in=may_ask_for(user).values("pk"))
        .order_by("person__name", "person__email", "pk")
    )


def standing_stakeholder(organisation: Organisation, target: Target, address: str) -> Subscription | None:
    """Whoever has this address and was asked about this by the organisation, unless they said no or mail comes back."""
    return (
        Subscription.objects.for_listing()
        .filter(added_for=organisation, person__email__iexact=address, **{kind_of(target): target.pk})
        .exclude(status__in=[SubscriptionStatus.ENDED, SubscriptionStatus.SUPPRESSED])
        .first()
    )


def stakeholders_who_ended(user: User, now: dt.datetime) -> QuerySet[Subscription]:
    """The same, but over: as long as a no would hold, so that nobody wonders where they went."""
    return (
        Subscription.objects.for_listing()
        .filter(
            status=SubscriptionStatus.ENDED,
            ended_at__gt=now - REFUSAL_HOLDS,
            added_for__in=may_ask_for(user).values("pk"),
        )
        .order_by("-ended_at", "-pk")
    )


def letters_that_asked(subscriptions: Collection[Subscription]) -> dict[int, Delivery]:
    """The latest letter that asked to confirm each of these, by subscription."""
    letters = Delivery.objects.filter(kind=DeliveryKind.CONFIRMATION, subscription__in=subscriptions).order_by("pk")
    return {letter.subscription_id: letter for letter in letters if letter.subscription_id}


def unconfirmed_of(plan: Plan) -> QuerySet[Subscription]:
    """Who was asked about this very plan and has not answered: nothing is sent to them."""
    return (
        Subscription.objects.for_listing().filter(plan=plan, status=SubscriptionStatus.ASKED).order_by("asked_at", "pk")
    )
