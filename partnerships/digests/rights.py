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
    """What one person may do with one subscription now."""

    subscription: Subscription
    roles: Roles

    @property
    def may_change(self) -> bool:
        """Whether they may pause it or change how often: the person."""
        return may_choose_for(self.subscription.person, self.roles)

    @property
    def asks_for_organisation(self) -> bool:
        """Whether they may ask again or correct the address.

        Editors and leads of the organisation that added the person may.
        """
        return self.subscription.added_for_id is not None and self.roles.edit_for(self.subscription.added_for_id)

    @property
    def may_end(self) -> bool:
        """Whether they may end it: the person, and who may ask again."""
        return self.may_change or self.asks_for_organisation


def rights_over(subscription: Subscription, person: User | None, now: dt.datetime) -> Rights:
    """The rights of the person (None: the system) over the subscription."""
    return Rights(subscription, roles_of(person, now))


def may_choose_for(person: User, roles: Roles) -> bool:
    """Whether somebody may choose how digests come to this person.

    The person, while they have not left, and the system.
    """
    return roles.is_system or (roles.person_id == person.pk and person.is_active)


def may_stop_all_of(person: User, roles: Roles) -> bool:
    """Whether somebody may stop everything and end all links of this person.

    The person may, and administrators, who close accounts.
    """
    return may_choose_for(person, roles) or roles.keeps_directory


def readable_targets(person: User, kind: str) -> QuerySet[Any] | None:
    """What the person may follow, of one kind; None for another kind."""
    if kind == "plan":
        return Plan.objects.published_for(person)
    if kind == "partnership":
        return Partnership.objects.inside_for(person)
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
    """Whether somebody may follow this for the person.

    The person if they may read it, and the system.
    """
    if roles.is_system:
        return True
    return may_choose_for(person, roles) and may_still_follow(person, target)


def may_still_follow(person: User, target: Target) -> bool:
    """Whether the person may hear about what happens to this from now on."""
    readable = readable_targets(person, kind_of(target))
    return readable is not None and readable.filter(pk=target.pk).exists()


def may_set_roles(target: Plan | Partnership, person: User, now: dt.datetime) -> bool:
    """Whether somebody may send digests by role.

    Leads of an owner may, and of the partnership's chair or a lead organisation.
    """
    if isinstance(target, Plan):
        return plans.rights_over(target, person, now).may_publish
    return agreements.rights_over(target, person, now).leads


def may_follow_for_post(post: Post, target: Plan | Partnership, person: User, now: dt.datetime) -> bool:
    """Whether somebody may say what the holder of a post follows.

    Who may name the holder, if they may read it themselves.
    """
    readable = readable_targets(person, kind_of(target))
    names = agreements.may_name_in(post.role, roles_of(person, now), post.organisation_id)
    return names and readable is not None and readable.filter(pk=target.pk).exists()


def may_send_again(plan_ids: Collection[int], person: User, roles: Roles) -> bool:
    """Whether somebody may send news of these plans again.

    Administrators, and those who may publish each of them.
    """
    published = Plan.objects.publishable_by(person).filter(pk__in=plan_ids)
    return roles.keeps_directory or published.count() == len(set(plan_ids))
