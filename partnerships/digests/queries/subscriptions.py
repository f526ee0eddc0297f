"""Reads subscriptions for pages: a person's own, and the subscriptions of stakeholders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db.models import Case, CharField, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value, When

from partnerships.digests.models import (
    REFUSAL_PERIOD,
    TARGETS,
    UNNAMED_STAKEHOLDER,
    Delivery,
    DeliveryKind,
    Subscription,
    SubscriptionQuerySet,
    SubscriptionStatus,
)
from partnerships.digests.models.targets import Target, fields_of
from partnerships.digests.queries.addresses import people_with_known_address
from partnerships.digests.queries.naming import set_names_for
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan


def subscriptions_of(person: User) -> QuerySet[Subscription]:
    """Return a person's own subscriptions that have not ended, newest first."""
    return Subscription.objects.live().for_listing().filter(person=person).order_by("-asked_at", "-pk")


def live_or_refused(person: User) -> QuerySet[Subscription]:
    """Return a person's own subscriptions that have not ended or that they refused, newest first."""
    own_subscriptions = Subscription.objects.for_listing().filter(person=person)
    return (own_subscriptions.live() | own_subscriptions.refused()).order_by("-asked_at", "-pk")


def may_ask_for(user: User) -> QuerySet[Organisation]:
    """Return the organisations for which the person may ask stakeholders."""
    return Organisation.objects.of_person(user, *EDITING_ROLES)


def may_ask_stakeholders(user: User) -> bool:
    """Return whether the person may ask stakeholders for any organisation."""
    return bool(Membership.objects.organisations_of(user, *EDITING_ROLES))


def stakeholders_of(user: User, now: dt.datetime) -> SubscriptionQuerySet:
    """Return the subscriptions of stakeholders whom the person's organisations asked.

    Only organisations for which the person is editor or lead count. Ended subscriptions are in the list for as long as
    a refusal prevents partners from asking again. A subscription that moves to an address that the stakeholder gave
    themselves is in the list once they have confirmed the address.
    """
    # The ids are read first, because with a subquery PostgreSQL would join all subscriptions before filtering them.
    organisations = Membership.objects.organisations_of(user, *EDITING_ROLES)
    if not isinstance(organisations, list):
        organisations = [organisation.pk for organisation in may_ask_for(user)]
    asked_by_own = Subscription.objects.for_listing().filter(id_is_among("added_for", organisations))
    shown_until = ExpressionWrapper(F("ended_at") + Value(REFUSAL_PERIOD), DateTimeField())
    return (
        asked_by_own.exclude(has_own_address=True, confirmed_at=None)
        .alias(shown_until=shown_until)
        .filter(~Q(status=SubscriptionStatus.ENDED) | Q(shown_until__gt=now))
    )


def find_stakeholders(user: User, *, words: str = "", about: str = "", now: dt.datetime) -> SubscriptionQuerySet:
    """Return the subscriptions of stakeholders that match a search, each with the text that a page shows (`shown_as`).

    Stakeholders are found and sorted by this text. Before they confirm, it is only the address that was typed, because
    even the order could reveal a name. A complete address also finds ended subscriptions; an address that stakeholders
    gave themselves finds none.
    """
    has_no_known_name = Q(confirmed_at=None) | Q(person__name="")
    rows = stakeholders_of(user, now).annotate(
        shown_as=Case(
            When(has_no_known_name, has_own_address=True, then=Value(UNNAMED_STAKEHOLDER)),
            When(has_no_known_name, then=F("person__email")),
            default=F("person__name"),
            output_field=CharField(),
        )
    )
    if about:
        kind, _, pk = about.partition("-")
        rows = rows.filter(**{kind: pk})
    if words:
        matches_part = ~Q(status=SubscriptionStatus.ENDED) & Q(person__email__icontains=words)
        matches_address = Q(has_own_address=False) & (matches_part | Q(person__email__iexact=words))
        rows = rows.filter(Q(shown_as__icontains=words) | matches_address)
    return rows


#: Headings in the filter by followed record, by the field of `Subscription`.
_HEADINGS = {
    "plan": "Plans",
    "partnership": "Partnerships",
    "organisation": "Organisations",
    "request": "Asks and offers",
    "commitment": "Commitments",
    "recommendation": "Recommendations",
}


def _one_subscription_by_target(user: User, now: dt.datetime) -> QuerySet[Subscription]:
    """Return one stakeholder's subscription to each target that stakeholders follow."""
    target_ids = tuple(f"{name}_id" for name in TARGETS)
    return stakeholders_of(user, now).order_by(*target_ids, "pk").distinct(*target_ids)


def followed_by_stakeholders(user: User, now: dt.datetime) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the records that a person's stakeholders follow, by heading, for the filter of their list.

    Each option is a value that `find_stakeholders` accepts (`plan-12`) and a name. There are options only for targets
    that this person may know by name.
    """
    subscriptions = set_names_for(user, rows_for(_one_subscription_by_target, user, now), now)
    named_subscriptions = [subscription for subscription in subscriptions if subscription.named]
    named_subscriptions.sort(key=lambda subscription: (subscription.shown_name.casefold(), subscription.pk))
    # Start with all headings, so that they keep their order.
    options_by_heading: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS.values()}
    for subscription in named_subscriptions:
        heading = _HEADINGS[subscription.target_kind]
        value = f"{subscription.target_kind}-{subscription.target_id}"
        options_by_heading[heading].append((value, subscription.shown_name))
    return [(heading, options) for heading, options in options_by_heading.items() if options]


def live_stakeholder(organisation: Organisation, target: Target, address: str) -> Subscription | None:
    """Return the subscription to this target that the organisation added for this address.

    None if it does not exist, has ended or is suppressed, or if the person gave the address themselves.
    """
    subscriptions = Subscription.objects.for_listing().filter(
        added_for=organisation, person__email__iexact=address, has_own_address=False, **fields_of(target)
    )
    return subscriptions.exclude(status__in=[SubscriptionStatus.ENDED, SubscriptionStatus.SUPPRESSED]).first()


def confirmation_emails(subscriptions: Collection[Subscription]) -> dict[int, Delivery]:
    """Return the latest email that asked to confirm each of these subscriptions, by subscription id."""
    confirmations = Delivery.objects.filter(
        kind=DeliveryKind.CONFIRMATION,
        subscription__in=[subscription.pk for subscription in subscriptions],
        recipient__in=[subscription.person_id for subscription in subscriptions],  # emails are indexed by recipient
    )
    latest_emails = confirmations.order_by("subscription", "-pk").distinct("subscription").defer("recipe", "params")
    return {email.subscription_id: email for email in latest_emails if email.subscription_id}


def unconfirmed_of(plan: Plan) -> QuerySet[Subscription]:
    """Return the subscriptions of people who were asked about this plan and have not answered, the oldest first."""
    asked = Subscription.objects.for_listing().filter(plan=plan, status=SubscriptionStatus.ASKED)
    return asked.order_by("asked_at", "pk")


def with_known_address(reader: User, subscriptions: Iterable[Subscription]) -> list[tuple[Subscription, str]]:
    """Return each subscription with the person's address, or "" if the reader may not see the address."""
    rows = list(subscriptions)
    people = people_with_known_address(reader).filter(pk__in={subscription.person_id for subscription in rows})
    address_by_person = dict(people.values_list("pk", "email"))
    return [(subscription, address_by_person.get(subscription.person_id, "")) for subscription in rows]


def moving_with(subscription: Subscription) -> list[Subscription]:
    """Return the other subscriptions that wait to move from the same earlier address to the same new address."""
    if subscription.replaces is None:
        return []
    waiting = Subscription.objects.for_listing().filter(
        person=subscription.person_id,
        status=SubscriptionStatus.ASKED,
        replaces__person=subscription.replaces.person_id,
    )
    return list(waiting.exclude(pk=subscription.pk).order_by("pk"))
