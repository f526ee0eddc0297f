"""Subscriptions as pages list them: one’s own, and those of stakeholders whom one’s organisations asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db.models import Case, F, Q, QuerySet, When

from partnerships.digests.models import (
    REFUSAL_HOLDS,
    Delivery,
    DeliveryKind,
    Subscription,
    SubscriptionQuerySet,
    SubscriptionStatus,
)
from partnerships.digests.models.targets import Target, kind_of
from partnerships.digests.queries.addresses import people_with_known_address
from partnerships.digests.queries.naming import named_for
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


def stakeholders_of(user: User, now: dt.datetime) -> SubscriptionQuerySet:
    """Subscriptions of stakeholders whom the person's organisations added, for their editors and leads; those that
    ended as long as a no would hold, so that nobody wonders where they went."""
    return (
        Subscription.objects.for_listing()
        .filter(added_for__in=may_ask_for(user).values("pk"))
        .filter(~Q(status=SubscriptionStatus.ENDED) | Q(ended_at__gt=now - REFUSAL_HOLDS))
    )


#: The order of stakeholders on their page and in its file: by what each is shown as.
STAKEHOLDER_ORDER = ("shown_as", "pk")


def find_stakeholders(
    user: User, *, words: str = "", status: str = "", about: str = "", now: dt.datetime
) -> SubscriptionQuerySet:
    """The same as their page lists and finds them, each with what it is `shown_as`.

    Somebody is found by what the page shows of them, and stands where that belongs: before they said yes by the address
    that was typed alone, for even the order would tell a name. A whole address, which the organisation typed itself,
    finds them also after the end.
    """
    nameless = Q(confirmed_at=None) | Q(person__name="")
    rows = stakeholders_of(user, now).annotate(
        shown_as=Case(When(nameless, then=F("person__email")), default=F("person__name"))
    )
    if status:
        rows = rows.filter(status=status)
    if about:
        kind, _, pk = about.partition("-")
        rows = rows.filter(**{kind: pk})
    if words:
        by_address = ~Q(status=SubscriptionStatus.ENDED) & Q(person__email__icontains=words)
        rows = rows.filter(Q(shown_as__icontains=words) | by_address | Q(person__email__iexact=words))
    return rows


#: What stakeholders may follow, by kind, as the filter of their page heads it.
_THINGS = {"plan": "Plans", "partnership": "Partnerships", "organisation": "Organisations"}


def followed_by_stakeholders(user: User, now: dt.datetime) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a person's stakeholders follow or are asked about, as far as it may be named to that person: under headings,
    in the order of names, each as `find_stakeholders` takes it (`plan-12`) and by its name."""
    things = ("plan_id", "partnership_id", "organisation_id")
    one_each = named_for(user, stakeholders_of(user, now).order_by(*things, "pk").distinct(*things), now)
    found: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _THINGS.values()}
    for one in sorted((one for one in one_each if one.named), key=lambda one: (one.called.casefold(), one.pk)):
        found[_THINGS[one.target_kind]].append((f"{one.target_kind}-{one.target.pk}", one.called))
    return [(heading, options) for heading, options in found.items() if options]


def standing_stakeholder(organisation: Organisation, target: Target, address: str) -> Subscription | None:
    """Whoever has this address and was asked about this by the organisation, unless they said no or mail comes back."""
    return (
        Subscription.objects.for_listing()
        .filter(added_for=organisation, person__email__iexact=address, **{kind_of(target): target.pk})
        .exclude(status__in=[SubscriptionStatus.ENDED, SubscriptionStatus.SUPPRESSED])
        .first()
    )


def confirmation_emails(subscriptions: Collection[Subscription]) -> dict[int, Delivery]:
    """The latest letter that asked to confirm each of these, by subscription."""
    asked = Delivery.objects.filter(
        kind=DeliveryKind.CONFIRMATION,
        subscription__in=[one.pk for one in subscriptions],
        recipient__in=[one.person_id for one in subscriptions],  # letters are found by their readers
    )
    latest = asked.order_by("subscription", "-pk").distinct("subscription").defer("recipe", "params")
    return {letter.subscription_id: letter for letter in latest if letter.subscription_id}


def unconfirmed_of(plan: Plan) -> QuerySet[Subscription]:
    """Who was asked about this very plan and has not answered: nothing is sent to them."""
    return (
        Subscription.objects.for_listing().filter(plan=plan, status=SubscriptionStatus.ASKED).order_by("asked_at", "pk")
    )


def with_known_address(reader: User, subscriptions: Iterable[Subscription]) -> list[tuple[Subscription, str]]:
    """These, each with the person's address where the reader may see it, else empty."""
    found = list(subscriptions)
    people = people_with_known_address(reader).filter(pk__in={one.person_id for one in found})
    known = dict(people.values_list("pk", "email"))
    return [(one, known.get(one.person_id, "")) for one in found]


def moving_with(subscription: Subscription) -> list[Subscription]:
    """What else waits for a yes and moves from the same earlier address as this one."""
    if subscription.replaces is None:
        return []
    waiting = Subscription.objects.for_listing().filter(
        person=subscription.person_id,
        status=SubscriptionStatus.ASKED,
        replaces__person=subscription.replaces.person_id,
    )
    return list(waiting.exclude(pk=subscription.pk).order_by("pk"))
