"""Services that set and end role rules."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership, Post
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import RoleRule, Subscription, SubscriptionOrigin
from partnerships.digests.models.targets import kind_of
from partnerships.digests.planning.roles import apply_rules, contact_person_ids, people_of
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.rights import may_follow_for_post, may_set_roles
from partnerships.digests.services.stopping import end_subscriptions
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.plans.models import Plan


@transaction.atomic
def set_role_rule(*, target: Plan | Partnership, author: User, now: dt.datetime) -> RoleRule:
    """Set the rule that everyone with a role gets digests about the target, and return the rule.

    In a partnership, the rule covers everyone who acts for a party; for a plan, the leads of the organisations that
    must sign. They are subscribed now, and people who get the role later are subscribed then. If the rule exists
    already, nothing changes.
    """
    lock_planning()
    require(may_set_roles(target, author, now))
    kind = kind_of(target)  # "plan" or "partnership", which is also the name of the rule's field
    role = RoleRule.Role.SIGNATORIES if isinstance(target, Plan) else RoleRule.Role.MEMBERS
    rule, created = RoleRule.objects.get_or_create(
        **{kind: target}, role=role, defaults={"set_by": author, "set_at": now}
    )
    if created:
        apply_rules(RoleRule.objects.filter(pk=rule.pk), now=now)
        record(
            actor_id=author.pk,
            kind=EventKind.ROLE_SUBSCRIBED,
            target_kind=kind,
            target_id=target.pk,
            now=now,
            data={"role": role},
        )
    return rule


@transaction.atomic
def end_role_rule(*, rule: RoleRule, author: User, reason: str, now: dt.datetime) -> int:
    """End a role rule and its subscriptions, and return how many subscriptions ended.

    People whom another rule about the same target covers are subscribed again.
    """
    # A job that applies rules has finished once we have this lock, or starts later and does not find the rule.
    lock_planning()
    target = rule.plan or rule.partnership
    assert target is not None  # the constraint `role_rule_fits_target`
    if rule.post is None:
        require(may_set_roles(target, author, now))
    else:
        require(may_follow_for_post(rule.post, target, author, now))

    subscriptions = Subscription.objects.live().filter(how=SubscriptionOrigin.ROLE, **{kind_of(target): target})
    if rule.role == RoleRule.Role.POST:
        # A target can have rules for several posts, so end only the subscriptions of people who hold this post.
        holds_post = Q(person__in=people_of(rule).values("person")) | Q(person__in=contact_person_ids(rule))
        subscriptions = subscriptions.filter(holds_post)
    ended_count = end_subscriptions(subscriptions, author=author, reason=reason, now=now, is_refusal=False)
    record(
        actor_id=author.pk,
        kind=EventKind.ROLE_UNSUBSCRIBED,
        target_kind=kind_of(target),
        target_id=target.pk,
        now=now,
        data={"role": rule.role, "reason": reason},
    )
    rule.delete()
    # Another rule for the same target may cover some of these people, who continue to follow the target.
    apply_rules(RoleRule.objects.filter(partnership=rule.partnership_id, plan=rule.plan_id), now=now)
    return ended_count


@transaction.atomic
def follow_for_post(*, post: Post, target: Plan | Partnership, author: User, now: dt.datetime) -> RoleRule:
    """Subscribe the holder of a post for as long as they hold the post.

    When the post changes hands, `apply_rules` ends the last holder's subscription and subscribes the next holder.
    """
    lock_planning()
    require(may_follow_for_post(post, target, author, now))
    kind = kind_of(target)
    rule, created = RoleRule.objects.get_or_create(
        **{kind: target}, role=RoleRule.Role.POST, post=post, defaults={"set_by": author, "set_at": now}
    )
    if created:
        apply_rules(RoleRule.objects.filter(pk=rule.pk), now=now)
        record(
            actor_id=author.pk,
            organisation_id=post.organisation_id,
            kind=EventKind.ROLE_SUBSCRIBED,
            target_kind=kind,
            target_id=target.pk,
            now=now,
            data={"role": rule.role},
        )
    return rule
