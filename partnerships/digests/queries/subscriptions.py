"""Subscriptions as pages list them: a person's own, and those of stakeholders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db.models import Case, CharField, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value, When

from partnerships.digests.models import (
    NAMELESS,
    REFUSAL_HOLDS,
    TARGETS,
    Delivery,
    DeliveryKind,
    Subscription,
    SubscriptionQuerySet,
    SubscriptionStatus,
)
from partnerships.digests.models.targets import Target, fields_of
from partnerships.digests.queries.addresses import people_with_known_address
from partnerships.digests.queries.naming import set_names_for
from partnerships.organisations.holdings import among
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan


def subscriptions_of(person: User) -> QuerySet[Subscription]:
    """A person's own subscriptions that have not ended, newest first."""
    return Subscription.objects.live().for_listing().filter(person=person).order_by("-asked_at", "-pk")


def live_or_refused(person: User) -> QuerySet[Subscription]:
    """A person's subscriptions that are live, declined or stopped."""
    own = Subscription.objects.for_listing().filter(person=person)
    return (own.live() | own.refused()).order_by("-asked_at", "-pk")


def may_ask_for(user: User) -> QuerySet[Organisation]:
    """The organisations for which the person may ask stakeholders."""
    return Organisation.objects.of_person(user, *EDITING_ROLES)


def may_ask_stakeholders(user: User) -> bool:
    """Whether the person may ask stakeholders for any organisation."""
    return bool(Membership.objects.organisations_of(user, *EDITING_ROLES))


def stakeholders_of(user: User, now: dt.datetime) -> SubscriptionQuerySet:
    """Subscriptions of stakeholders added by the person's organisations.

    Only for editors and leads. Ended ones stay in the list as long as a refusal holds. What moves to an address that
    the person gave themselves is listed once they have confirmed it there.
    """
    # Their ids first: with a subquery PostgreSQL joins all subscriptions before it filters them.
    own_organisations = Membership.objects.organisations_of(user, *EDITING_ROLES)
    return (
        Subscription.objects.for_listing()
        .filter(
            among(
                "added_for",
                own_organisations
                if isinstance(own_organisations, list)
                else [subscription.pk for subscription in may_ask_for(user)],
            )
        )
        .exclude(has_own_address=True, confirmed_at=None)
        .alias(listed_until=ExpressionWrapper(F("ended_at") + Value(REFUSAL_HOLDS), DateTimeField()))
        .filter(~Q(status=SubscriptionStatus.ENDED) | Q(listed_until__gt=now))
    )


def find_stakeholders(user: User, *, words: str = "", about: str = "", now: dt.datetime) -> SubscriptionQuerySet:
    """Stakeholders that match a search, each with what it is `shown_as`.

    Stakeholders are found and sorted by what the page shows. Before they confirm that is the typed address only, since
    even the order could reveal a name. A complete address also finds them after the end. An address that they gave
    themselves never does.
    """
    nameless = Q(confirmed_at=None) | Q(person__name="")
    rows = stakeholders_of(user, now).annotate(
        shown_as=Case(
            When(nameless, has_own_address=True, then=Value(NAMELESS)),
            When(nameless, then=F("person__email")),
            default=F("person__name"),
            output_field=CharField(),
        )
    )
    if about:
        kind, _, pk = about.partition("-")
        rows = rows.filter(**{kind: pk})
    if words:
        part = ~Q(status=SubscriptionStatus.ENDED) & Q(person__email__icontains=words)
        by_address = Q(has_own_address=False) & (part | Q(person__email__iexact=words))
        rows = rows.filter(Q(shown_as__icontains=words) | by_address)
    return rows


#: Headings in the filter for what stakeholders follow, by the field of `Subscription`.
_HEADINGS = {
    "plan": "Plans",
    "partnership": "Partnerships",
    "organisation": "Organisations",
    "request": "Asks and offers",
    "commitment": "Commitments",
    "recommendation": "Recommendations",
}


def _one_of_each(user: User, now: dt.datetime) -> QuerySet[Subscription]:
    """One stakeholder's subscription to each record that stakeholders follow."""
    target_ids = tuple(f"{name}_id" for name in TARGETS)
    return stakeholders_of(user, now).order_by(*target_ids, "pk").distinct(*target_ids)


def followed_by_stakeholders(user: User, now: dt.datetime) -> list[tuple[str, list[tuple[str, str]]]]:
    """What stakeholders of a person's organisations follow, under headings, for the filter.

    Each option is a value that `find_stakeholders` accepts (`plan-12`) and a name. Only what this person may know is
    listed.
    """
    one_each = set_names_for(user, rows_for(_one_of_each, user, now), now)
    names_by_heading: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS.values()}
    for subscription in sorted(
        (subscription for subscription in one_each if subscription.named),
        key=lambda subscription: (subscription.shown_name.casefold(), subscription.pk),
    ):
        names_by_heading[_HEADINGS[subscription.target_kind]].append(
            (f"{subscription.target_kind}-{subscription.target_id}", subscription.shown_name)
        )
    return [(heading, options) for heading, options in names_by_heading.items() if options]


def live_stakeholder(organisation: Organisation, target: Target, address: str) -> Subscription | None:
    """The subscription to this target that the organisation added for this address, if any.

    None if it has ended, the address is suppressed, or the person gave the address themselves.
    """
    return (
        Subscription.objects.for_listing()
        .filter(
            added_for=organisation,
            person__email__iexact=address,
            has_own_address=False,
            **fields_of(target),
        )
        .exclude(status__in=[SubscriptionStatus.ENDED, SubscriptionStatus.SUPPRESSED])
        .first()
    )


def confirmation_emails(subscriptions: Collection[Subscription]) -> dict[int, Delivery]:
    """The latest email that asked to confirm each of these subscriptions, by subscription id."""
    confirmations = Delivery.objects.filter(
        kind=DeliveryKind.CONFIRMATION,
        subscription__in=[subscription.pk for subscription in subscriptions],
        recipient__in=[subscription.person_id for subscription in subscriptions],  # emails are indexed by recipient
    )
    latest = confirmations.order_by("subscription", "-pk").distinct("subscription").defer("recipe", "params")
    return {email.subscription_id: email for email in latest if email.subscription_id}


def unconfirmed_of(plan: Plan) -> QuerySet[Subscription]:
    """Subscriptions of people asked about this plan who have not answered; they get no digests."""
    return (
        Subscription.objects.for_listing().filter(plan=plan, status=SubscriptionStatus.ASKED).order_by("asked_at", "pk")
    )


def with_known_address(reader: User, subscriptions: Iterable[Subscription]) -> list[tuple[Subscription, str]]:
    """Each subscription with the person's address, which is empty if the reader may not see it."""
    listed = list(subscriptions)
    people = people_with_known_address(reader).filter(pk__in={subscription.person_id for subscription in listed})
    addresses = dict(people.values_list("pk", "email"))
    return [(subscription, addresses.get(subscription.person_id, "")) for subscription in listed]


def moving_with(subscription: Subscription) -> list[Subscription]:
    """Other subscriptions waiting to move from the same earlier address."""
    if subscription.replaces is None:
        return []
    waiting = Subscription.objects.for_listing().filter(
        person=subscription.person_id,
        status=SubscriptionStatus.ASKED,
        replaces__person=subscription.replaces.person_id,
    )
    return list(waiting.exclude(pk=subscription.pk).order_by("pk"))
