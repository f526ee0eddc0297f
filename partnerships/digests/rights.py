"""What a person may do with digests (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from partnerships.agreements import rights as agreements
from partnerships.agreements.models import Partnership, Post
from partnerships.commitments.models import Commitment
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import Target, kind_of
from partnerships.exchange.models import Entry
from partnerships.exchange.models import Status as EntryStatus
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.people.models import User
from partnerships.plans import rights as plans
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do with one subscription now."""

    subscription: Subscription
    roles: Roles

    @property
    def may_change(self) -> bool:
        """Return whether the person may pause the subscription or change its frequency. Only the subscriber may."""
        return may_choose_for(self.subscription.person, self.roles)

    @property
    def asks_for_organisation(self) -> bool:
        """Return whether the person is an editor or lead of the organisation that asked the subscriber.

        They may ask again, or correct the address.
        """
        return self.subscription.added_for_id is not None and self.roles.may_edit_for(self.subscription.added_for_id)

    @property
    def may_end(self) -> bool:
        """Return whether the person may end the subscription.

        The subscriber may, and so may editors and leads of the organisation that asked them.
        """
        return self.may_change or self.asks_for_organisation


def rights_over(subscription: Subscription, person: User | None, now: dt.datetime) -> Rights:
    """Return the rights of a person, or of the system (None), over the subscription."""
    return Rights(subscription, roles_of(person, now))


def may_choose_for(person: User, roles: Roles) -> bool:
    """Return whether somebody with these roles may choose how this person gets digests.

    Only the person may, while their account is active.
    """
    return roles.is_system or (roles.person_id == person.pk and person.is_active)


def may_stop_all_of(person: User, roles: Roles) -> bool:
    """Return whether somebody with these roles may stop all digests of this person and end all their links.

    The person may, and so may administrators, because they close accounts.
    """
    return may_choose_for(person, roles) or roles.may_change_directory


def readable_targets(person: User, kind: str) -> QuerySet[Any] | None:
    """Return the records of one kind that the person may follow; None if records of this kind cannot be followed."""
    if kind == "plan":
        return Plan.objects.published_for(person)
    if kind == "partnership":
        return Partnership.objects.readable_today_by(person)
    if kind == "organisation":
        return Organisation.objects.visible_to(person)
    if kind == "request":
        return Entry.objects.followed_by(person).exclude(status=EntryStatus.DRAFT)
    if kind == "commitment":
        return Commitment.objects.followed_by(person)
    if kind == "recommendation":
        return Recommendation.objects.visible_to(person)
    return None


def may_follow(person: User, target: Target, roles: Roles) -> bool:
    """Return whether somebody with these roles may make the person follow the target.

    Only the person may, if they may read the target.
    """
    if roles.is_system:
        return True
    return may_choose_for(person, roles) and may_still_follow(person, target)


def may_still_follow(person: User, target: Target) -> bool:
    """Return whether the person may be told about future changes of the target."""
    readable_records = readable_targets(person, kind_of(target))
    return readable_records is not None and readable_records.filter(pk=target.pk).exists()


def may_set_roles(target: Plan | Partnership, person: User, now: dt.datetime) -> bool:
    """Return whether the person may subscribe everyone with a role.

    Leads of an owner of the plan may, and leads of the partnership's chair or of a lead organisation.
    """
    if isinstance(target, Plan):
        return plans.rights_over(target, person, now).may_publish
    return agreements.rights_over(target, person, now).leads


def may_follow_for_post(post: Post, target: Plan | Partnership, person: User, now: dt.datetime) -> bool:
    """Return whether the person may choose that the holder of a post follows the target.

    People who may name the holder may, if they may read the target themselves.
    """
    if not agreements.may_fill_posts_with(post.role, roles_of(person, now), post.organisation_id):
        return False
    return may_still_follow(person, target)


def may_send_again(plan_ids: Collection[int], person: User, roles: Roles) -> bool:
    """Return whether the person may send news of these plans again.

    Administrators may, and people who may publish every one of the plans.
    """
    if roles.may_change_directory:
        return True
    publishable_plans = Plan.objects.publishable_by(person).filter(pk__in=plan_ids)
    return publishable_plans.count() == len(set(plan_ids))
