"""Posts and objectives as things that people own for an organisation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Exists, OuterRef
from django.utils import timezone

from partnerships.agreements.models import Holder, Objective, ObjectiveStatus, Post, PostQuerySet
from partnerships.agreements.rights import may_name_in
from partnerships.agreements.services import UnableToChangePost, UnableToKeepObjective, edit_objective, fill_post
from partnerships.agreements.services.posts import email_no_lead, end_holding_of
from partnerships.organisations.departures import Departure
from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import (
    Handover,
    OwnedKind,
    Thing,
    UnableToHandOver,
    left_by,
)
from partnerships.organisations.queries import leads_of
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


def _post_as_thing(post: Post) -> Thing:
    within = post.partnership.title if post.partnership else "the whole organisation"
    return Thing(
        post.pk, f"{post.get_role_display()}{f': {post.title}' if post.title else ''}", post.get_absolute_url(), within
    )


def _posts_as_things(posts: PostQuerySet) -> list[Thing]:
    ordered = posts.select_related("partnership").order_by("partnership", "role", "title", "pk")
    return [_post_as_thing(post) for post in ordered]


def _posts_held(person: User, organisation: Organisation, day: dt.date) -> list[Thing]:
    holding = Holder.objects.open(day).filter(post=OuterRef("pk"), person=person)
    return _posts_as_things(Post.objects.in_use().filter(Exists(holding), organisation=organisation))


def _vacant_posts(organisation: Organisation, day: dt.date) -> list[Thing]:
    return _posts_as_things(Post.objects.vacant(day).filter(organisation=organisation))


def _hand_over(handover: Handover) -> None:
    post = Post.objects.get(pk=handover.pk)
    try:
        fill_post(post=post, person=handover.to, reason=handover.reason, author=handover.author, now=handover.now)
    except UnableToChangePost as error:
        raise UnableToHandOver(str(error)) from error


POSTS = OwnedKind(
    code="posts",
    label="Posts",
    fields=("agreements.Holder.person",),
    held=_posts_held,
    left=_vacant_posts,
    hand_over=_hand_over,
    waits_alone=True,
)


def _objectives(organisation: Organisation, owners: Iterable[int]) -> list[Thing]:
    objectives = Objective.objects.filter(status=ObjectiveStatus.OPEN, organisation=organisation, owner__in=owners)
    return [
        Thing(objective.pk, objective.text, objective.get_absolute_url(), objective.partnership.title)
        for objective in objectives.select_related("partnership").order_by("partnership", "position", "pk")
    ]


def _objectives_held(person: User, organisation: Organisation, day: dt.date) -> list[Thing]:
    return _objectives(organisation, [person.pk])


def _objectives_left(organisation: Organisation, day: dt.date) -> list[Thing]:
    return _objectives(organisation, left_by(organisation, day))


def _hand_over_objective(handover: Handover) -> None:
    objective = Objective.objects.get(pk=handover.pk)
    try:
        edit_objective(
            objective=objective,
            revision=objective.revision,
            reason=handover.reason,
            author=handover.author,
            now=handover.now,
            owner=handover.to,
        )
    except UnableToKeepObjective as error:
        raise UnableToHandOver(str(error)) from error


OBJECTIVES = OwnedKind(
    code="objectives",
    label="Objectives",
    fields=("agreements.Objective.owner",),
    held=_objectives_held,
    left=_objectives_left,
    hand_over=_hand_over_objective,
    goes_to_colleague=True,
)


def leave_posts(departure: Departure) -> int:
    """End a leaver's time in every post of the organisation.

    The successor takes over. If nobody leads the organisation then, administrators and the escalation post get an
    email. Posts that only leads may fill stay vacant where the author does not lead.
    """
    membership = departure.membership
    if membership.is_lead and not leads_of(membership.organisation).exclude(pk=membership.person_id).exists():
        email_no_lead(organisation=membership.organisation, leaver=membership.person, now=departure.now)
    organisation, today = membership.organisation, timezone.localdate(departure.now)
    roles = roles_of(departure.author, departure.now)
    posts_held = Holder.objects.open(today).filter(person=membership.person_id, post__organisation=organisation)
    posts = {
        holder.post_id: holder.post for holder in posts_held.select_related("post").order_by("post__partnership", "pk")
    }
    reason = f"The holder no longer acts for {organisation.display_name}."
    for post in posts.values():
        end_holding_of(post=post, person=membership.person, reason=reason, author=departure.author, now=departure.now)
        successor = departure.successor
        already_holds = (
            successor is not None and Holder.objects.open(today).filter(post=post, person=successor).exists()
        )
        is_in_use = Post.objects.in_use().filter(pk=post.pk).exists()
        if successor is not None and not already_holds and is_in_use and may_name_in(post.role, roles, organisation.pk):
            fill_post(post=post, person=successor, reason=reason, author=departure.author, now=departure.now)
    return len(posts)
