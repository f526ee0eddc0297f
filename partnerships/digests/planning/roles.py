"""Role rules: people follow something while they have a role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from partnerships.activity.services import record
from partnerships.agreements.models import Holder, PartyStatus, Post
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import How, RoleRule, Subscription, SubscriptionStatus
from partnerships.digests.planning.watermarks import drop_unfollowed, start_watermarks
from partnerships.organisations.models import Membership, Role
from partnerships.people.models import User
from partnerships.plans.models import Signatory

#: Why a subscription ended with a role; gaining the role again brings it back.
NO_LONGER = "They no longer have the role."


def people_of(rule: RoleRule) -> QuerySet[Membership]:
    """The memberships a rule covers today; one person may have several."""
    current = Membership.objects.current()
    if rule.role == RoleRule.Role.MEMBERS:
        current = current.filter(
            organisation__parties__partnership=rule.partnership_id, organisation__parties__status=PartyStatus.ACCEPTED
        )
    elif rule.role == RoleRule.Role.POST:
        holders = Holder.objects.on().filter(post=rule.post_id, post__ended_on=None).values("person")
        current = current.filter(person__in=holders, organisation=rule.post.organisation_id if rule.post else None)
    else:
        must_sign = Signatory.objects.filter(plan=rule.plan_id, removed_at=None).values("organisation")
        current = current.filter(role=Role.LEAD, organisation__in=must_sign)
    return current


def contacts_of(rule: RoleRule) -> QuerySet[Holder]:
    """Present holders of the post with an email address but no account."""
    holders = Holder.objects.on().filter(post__ended_on=None, person=None, cleared_at=None)
    return holders.filter(post=rule.post_id or 0).exclude(email="").order_by("pk")


def contact_people(rule: RoleRule) -> set[int]:
    """Ids of people without an account who have these contacts' addresses."""
    addresses = {address.lower() for address in contacts_of(rule).values_list("email", flat=True)}
    if not addresses:
        return set()
    users = User.objects.annotate(address=Lower("email")).filter(address__in=addresses, account_since=None)
    return set(users.values_list("pk", flat=True))


def apply_rules_about(*, plans: Collection[int], now: dt.datetime) -> set[int]:
    """Apply the rules about these plans; return the new followers."""
    rules = RoleRule.objects.filter(Q(plan__in=plans) | Q(partnership__plans__in=plans)).distinct()
    return apply_rules(rules, now=now)


def apply_rules(rules: QuerySet[RoleRule], *, now: dt.datetime) -> set[int]:
    """Subscribe people these rules cover, and end those they do not.

    People who regain a role are subscribed again, unless they ended it themselves. New followers start at the present
    versions. Returns their ids.
    """
    newcomers: set[int] = set()
    for rule in rules.select_related("partnership", "plan", "post"):
        covered = set(people_of(rule).values_list("person_id", flat=True))
        _end_for_leavers(rule, covered | contact_people(rule) | _covered_by_others(rule), now=now)
        newcomers |= _subscribe_newcomers(rule, covered, now=now)
    return newcomers


def _covered_by_others(rule: RoleRule) -> set[int]:
    """The people that another rule about the same target covers."""
    other_rules = RoleRule.objects.filter(_about(rule)).exclude(pk=rule.pk).select_related("post")
    covered: set[int] = set()
    for other in other_rules:
        covered |= set(people_of(other).values_list("person_id", flat=True)) | contact_people(other)
    return covered


def _about(rule: RoleRule) -> Q:
    return Q(partnership=rule.partnership_id) if rule.partnership_id else Q(plan=rule.plan_id)


def _end_for_leavers(rule: RoleRule, covered: set[int], *, now: dt.datetime) -> None:
    """End what people followed by a role that they no longer hold."""
    lost = list(
        Subscription.objects.filter(
            _about(rule),
            how=How.ROLE,
            status__in=[SubscriptionStatus.ASKED, SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED],
        )
        .exclude(person__in=covered)
        .select_for_update()
        .order_by("pk")
    )
    for subscription in lost:
        subscription.status, subscription.ended_at = SubscriptionStatus.ENDED, now
        subscription.reason = NO_LONGER
        record(
            actor_id=None,
            kind=EventKind.ENDED,
            target_kind="subscription",
            target_id=subscription.pk,
            within_kind=subscription.target_kind,
            within_id=subscription.plan_id or subscription.partnership_id,
            now=now,
            data={"reason": subscription.reason},
        )
    Subscription.objects.bulk_update(lost, ["status", "ended_at", "reason"])
    if lost:
        drop_unfollowed([subscription.person_id for subscription in lost])


def why_of_post(post: Post) -> str:
    """Why the holder of a post gets digests, to follow the word "because"."""
    return f"you hold the post {post}, which gets these digests"[:300]


def _subscribe_newcomers(rule: RoleRule, covered: set[int], *, now: dt.datetime) -> set[int]:
    """Subscribe people that the rule covers now and did not before. Returns their ids."""
    why = (
        why_of_post(rule.post)
        if rule.post is not None
        else f"you act for a partner of {rule.partnership.title}"
        if rule.partnership is not None
        else f"your organisation is asked to sign {rule.plan.title if rule.plan else 'it'}"
    )[:300]
    known_subscriptions = {
        subscription.person_id: subscription
        for subscription in Subscription.objects.filter(_about(rule), person__in=covered)
    }
    back = [
        subscription
        for subscription in known_subscriptions.values()
        if subscription.how == How.ROLE and subscription.is_ended and subscription.refused_at is None
    ]
    for subscription in back:
        subscription.status, subscription.asked_at, subscription.confirmed_at = SubscriptionStatus.CONFIRMED, now, now
        subscription.ended_at, subscription.reason, subscription.why = None, "", why
    Subscription.objects.bulk_update(back, ["status", "asked_at", "confirmed_at", "ended_at", "reason", "why"])
    created = Subscription.objects.bulk_create(
        [
            Subscription(
                person_id=person,
                status=SubscriptionStatus.CONFIRMED,
                how=How.ROLE,
                added_by_id=rule.set_by_id,
                why=why,
                asked_at=now,
                confirmed_at=now,
                partnership_id=rule.partnership_id,
                plan_id=rule.plan_id,
            )
            for person in sorted(covered - set(known_subscriptions))
        ]
    )
    start_watermarks(subscriptions=[subscription.pk for subscription in (*created, *back)], now=now)
    return {subscription.person_id for subscription in (*created, *back)}
