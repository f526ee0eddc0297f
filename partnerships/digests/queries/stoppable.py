"""What a stop link can stop: what its email contained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from partnerships.digests.models import DeliveryItem, MatchNotice, Preference, Subscription
from partnerships.digests.queries.readers import reading_classes
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class Stoppable:
    """What an email contained and the person still follows.

    `had_any` says whether the email contained any plan or match.
    """

    plans: tuple[Plan, ...]
    matches: bool
    had_any: bool


def stoppable_in(person: User, delivery: int) -> Stoppable:
    """What one email to this person can stop."""
    items = DeliveryItem.objects.included().filter(delivery=delivery, delivery__recipient=person)
    plans = list(Plan.objects.filter(pk__in=items.values("plan")).order_by("title", "pk"))
    matches = MatchNotice.objects.filter(delivery=delivery, recipient=person).exists()
    wants_matches = not Preference.objects.filter(person=person, tells_matches=False).exists()
    followed = tuple(plan for plan in plans if covering(person, plan))
    return Stoppable(followed, matches and wants_matches, bool(plans or matches))


def covering(person: User, plan: Plan) -> list[Subscription]:
    """The person's subscriptions that cover this plan, closest first.

    Paused ones are included. Those confirmed before the person refused this plan do not cover it, as in
    `digests_following`.
    """
    live = Subscription.objects.live().for_listing().filter(person=person)
    refused = (
        Subscription.objects.refused().filter(person=person, plan=plan, key="").values_list("refused_at", flat=True)
    )
    through = live.filter(
        Q(partnership__isnull=False, partnership=plan.partnership_id)
        | Q(organisation__in=plan.owners.values("organisation")),
        confirmed_at__isnull=False,
    )
    for moment in refused:
        through = through.filter(confirmed_at__gt=moment)
    return [*live.filter(plan=plan), *through.order_by("organisation", "pk")]


def titles_for(person: User, plans: Collection[Plan], now: dt.datetime) -> dict[int, str]:
    """The plans' titles, where this follower may still read them."""
    ids = [plan.pk for plan in plans]
    readable = {plan for _, plan in reading_classes(ids, now=now, people=[person.pk], even_paused=True)}
    return {plan.pk: plan.title if plan.pk in readable else "a plan you can no longer read" for plan in plans}
