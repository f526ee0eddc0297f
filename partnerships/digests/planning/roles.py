"""Applies role rules, which subscribe people while they have a role and end the subscriptions after that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from partnerships.activity.services import record
from partnerships.agreements.models import Holder, PartyStatus, Post
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import RoleRule, Subscription, SubscriptionOrigin, SubscriptionStatus
from partnerships.digests.planning.watermarks import drop_unfollowed, start_watermarks
from partnerships.organisations.models import Membership, Role
from partnerships.people.models import User
from partnerships.plans.models import Signatory

#: The reason of subscriptions that ended with a role. They begin again if the person gets the role back. The text is
#: stored in subscriptions and compared with it, so it must not change.
NO_LONGER = "They no longer have the role."


def people_of(rule: RoleRule) -> QuerySet[Membership]:
    """Return the memberships that a rule covers today; one person may have several."""
    memberships = Membership.objects.current()
    if rule.role == RoleRule.Role.MEMBERS:
        return memberships.filter(
            organisation__parties__partnership=rule.partnership_id, organisation__parties__status=PartyStatus.ACCEPTED
        )
    if rule.role == RoleRule.Role.POST:
        holders = Holder.objects.current().filter(post=rule.post_id, post__ended_on=None).values("person")
        return memberships.filter(person__in=holders, organisation=rule.post.organisation_id if rule.post else None)
    must_sign = Signatory.objects.filter(plan=rule.plan_id, removed_at=None).values("organisation")
    return memberships.filter(role=Role.LEAD, organisation__in=must_sign)


def contacts_of(rule: RoleRule) -> QuerySet[Holder]:
    """Return the present holders of the rule's post who have an email address but no account."""
    holders = Holder.objects.current().filter(post__ended_on=None, person=None, cleared_at=None)
    return holders.filter(post=rule.post_id or 0).exclude(email="").order_by("pk")


def contact_person_ids(rule: RoleRule) -> set[int]:
    """Return the ids of people without an account whose address belongs to a holder from `contacts_of`."""
    addresses = {address.lower() for address in contacts_of(rule).values_list("email", flat=True)}
    if not addresses:
        return set()
    users = User.objects.annotate(address=Lower("email")).filter(address__in=addresses, account_since=None)
    return set(users.values_list("pk", flat=True))


def apply_rules_about(*, plan_ids: Collection[int], now: dt.datetime) -> set[int]:
    """Apply the rules about these plans and their partnerships, and return the ids of new followers."""
    rules = RoleRule.objects.filter(Q(plan__in=plan_ids) | Q(partnership__plans__in=plan_ids)).distinct()
    return apply_rules(rules, now=now)


def apply_rules(rules: QuerySet[RoleRule], *, now: dt.datetime) -> set[int]:
    """Subscribe the people whom these rules cover, and end subscriptions of people who are no longer covered.

    People who get a role back are subscribed again, unless they ended the subscription themselves. New followers start
    at the present versions. Returns the ids of new followers.
    """
    new_follower_ids: set[int] = set()
    for rule in rules.select_related("partnership", "plan", "post"):
        covered_ids = set(people_of(rule).values_list("person_id", flat=True))
        # People without an account are subscribed elsewhere, because they must agree by email first
        # (`services.ask_post_contacts`). Here they only keep a subscription that they have.
        _end_for_leavers(rule, covered_ids | contact_person_ids(rule) | _ids_covered_by_other_rules(rule), now=now)
        new_follower_ids |= _subscribe_newcomers(rule, covered_ids, now=now)
    return new_follower_ids


def _ids_covered_by_other_rules(rule: RoleRule) -> set[int]:
    """Return the ids of the people whom another rule about the same target covers."""
    other_rules = RoleRule.objects.filter(_same_target(rule)).exclude(pk=rule.pk).select_related("post")
    covered_ids: set[int] = set()
    for other_rule in other_rules:
        covered_ids |= set(people_of(other_rule).values_list("person_id", flat=True)) | contact_person_ids(other_rule)
    return covered_ids


def _same_target(rule: RoleRule) -> Q:
    """Return the condition that a rule or a subscription is about the target of this rule."""
    return Q(partnership=rule.partnership_id) if rule.partnership_id else Q(plan=rule.plan_id)


def _end_for_leavers(rule: RoleRule, covered_ids: set[int], *, now: dt.datetime) -> None:
    """End the subscriptions by role of people who no longer have the role.

    Suppressed subscriptions do not end, because they send nothing and the address may never be released.
    """
    role_subscriptions = Subscription.objects.filter(
        _same_target(rule),
        how=SubscriptionOrigin.ROLE,
        status__in=[SubscriptionStatus.ASKED, SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED],
    )
    ending_subscriptions = list(role_subscriptions.exclude(person__in=covered_ids).select_for_update().order_by("pk"))
    for subscription in ending_subscriptions:
        subscription.status = SubscriptionStatus.ENDED
        subscription.ended_at = now
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
    Subscription.objects.bulk_update(ending_subscriptions, ["status", "ended_at", "reason"])
    if ending_subscriptions:
        drop_unfollowed([subscription.person_id for subscription in ending_subscriptions])


def why_of_post(post: Post) -> str:
    """Return why the holder of a post gets digests, in a text that follows the word "because"."""
    return f"you hold the post {post}, which gets these digests"[:300]


def _why_by_role(rule: RoleRule) -> str:
    """Return why people whom a rule covers get digests, in a text that follows the word "because"."""
    if rule.post is not None:
        return why_of_post(rule.post)
    if rule.partnership is not None:
        return f"you act for a partner of {rule.partnership.title}"[:300]
    assert rule.plan is not None  # a constraint
    return f"your organisation is asked to sign {rule.plan.title}"[:300]


def _subscribe_newcomers(rule: RoleRule, covered_ids: set[int], *, now: dt.datetime) -> set[int]:
    """Subscribe the people whom a rule covers and who do not follow its target yet, and return their ids.

    Nobody is subscribed who follows the target for another reason, or who stopped following it.
    """
    why = _why_by_role(rule)
    subscriptions = list(Subscription.objects.filter(_same_target(rule), person__in=covered_ids))
    ended_subscriptions = [
        subscription
        for subscription in subscriptions
        if subscription.how == SubscriptionOrigin.ROLE and subscription.is_ended and subscription.refused_at is None
    ]
    _restart(ended_subscriptions, why, now=now)

    newcomer_ids = covered_ids - {subscription.person_id for subscription in subscriptions}
    new_subscriptions = Subscription.objects.bulk_create(
        Subscription(
            person_id=person_id,
            status=SubscriptionStatus.CONFIRMED,
            how=SubscriptionOrigin.ROLE,
            added_by_id=rule.set_by_id,
            why=why,
            asked_at=now,
            confirmed_at=now,
            partnership_id=rule.partnership_id,
            plan_id=rule.plan_id,
        )
        for person_id in sorted(newcomer_ids)
    )
    started_subscriptions = [*new_subscriptions, *ended_subscriptions]
    start_watermarks(subscriptions=[subscription.pk for subscription in started_subscriptions], now=now)
    return {subscription.person_id for subscription in started_subscriptions}


def _restart(subscriptions: Sequence[Subscription], why: str, *, now: dt.datetime) -> None:
    """Start ended subscriptions by role again, confirmed."""
    for subscription in subscriptions:
        subscription.status = SubscriptionStatus.CONFIRMED
        subscription.asked_at = now
        subscription.confirmed_at = now
        subscription.ended_at = None
        subscription.reason = ""
        subscription.why = why
    Subscription.objects.bulk_update(subscriptions, ["status", "asked_at", "confirmed_at", "ended_at", "reason", "why"])
