"""Digests by role: whoever has the role follows, without being asked one by one, and may stop like anybody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Q, QuerySet

from partnerships.agreements.models import PartyStatus
from partnerships.digests.models import How, RoleRule, Subscription, SubscriptionStatus
from partnerships.digests.watermarks import count_as_told
from partnerships.organisations.models import Membership, Role
from partnerships.plans.models import Signatory


def people_of(rule: RoleRule) -> QuerySet[Membership]:
    """The memberships of the people whom a rule means today; somebody may have several."""
    current = Membership.objects.current()
    if rule.role == RoleRule.Role.MEMBERS:
        current = current.filter(
            organisation__parties__partnership=rule.partnership_id, organisation__parties__status=PartyStatus.ACCEPTED
        )
    else:
        must_sign = Signatory.objects.filter(plan=rule.plan_id, removed_at=None).values("organisation")
        current = current.filter(role=Role.LEAD, organisation__in=must_sign)
    return current


def give_roles(*, plans: Collection[int], now: dt.datetime) -> set[int]:
    """Apply the rules about these plans and their partnerships; returns the people who follow because of it since now.

    Who ended such a subscription keeps it ended. New followers count as told of the present versions.
    """
    rules = RoleRule.objects.filter(Q(plan__in=plans) | Q(partnership__plans__in=plans)).distinct()
    return give(rules, now=now)


def give(rules: QuerySet[RoleRule], *, now: dt.datetime) -> set[int]:
    """Give subscriptions by these rules to everyone they mean who has none."""
    newcomers: set[int] = set()
    for rule in rules.select_related("partnership", "plan"):
        about = {"partnership_id": rule.partnership_id, "plan_id": rule.plan_id}
        known = Subscription.objects.filter(
            Q(partnership=rule.partnership_id) if rule.partnership_id else Q(plan=rule.plan_id)
        ).values("person_id")
        people = set(people_of(rule).exclude(person__in=known).values_list("person_id", flat=True))
        why = (
            f"you act for a partner of {rule.partnership.title}"
            if rule.partnership is not None
            else f"your organisation is asked to sign {rule.plan.title if rule.plan else 'it'}"
        )[:300]
        made = Subscription.objects.bulk_create(
            [
                Subscription(
                    person_id=person,
                    status=SubscriptionStatus.CONFIRMED,
                    how=How.ROLE,
                    added_by_id=rule.set_by_id,
                    why=why,
                    asked_at=now,
                    confirmed_at=now,
                    **about,
                )
                for person in sorted(people)
            ]
        )
        count_as_told(subscriptions=[subscription.pk for subscription in made], now=now)
        newcomers |= people
    return newcomers
