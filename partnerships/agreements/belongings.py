"""Posts and objectives that people own for an organisation, and that a colleague can take over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Holder, Objective, ObjectiveStatus, Post, PostQuerySet
from partnerships.agreements.rights import may_fill_posts_with
from partnerships.agreements.services import UnableToChangeObjective, UnableToChangePost, edit_objective, fill_post
from partnerships.agreements.services.post_emails import email_no_lead
from partnerships.agreements.services.posts import end_holding_of
from partnerships.organisations.departures import Departure
from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import (
    OwnedKind,
    OwnedRecord,
    OwnershipHandover,
    UnableToHandOver,
    former_people_of,
)
from partnerships.organisations.queries import leads_of
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


def _post_record(post: Post) -> OwnedRecord:
    """Return what pages show about a post, for example "Lead: Head of housing" in "East corridor"."""
    return OwnedRecord(post.pk, post.role_and_title, post.get_absolute_url(), post.scope)


def _post_records(posts: Iterable[Post]) -> list[OwnedRecord]:
    """Return what pages show about these posts."""
    return [_post_record(post) for post in posts]


def _by_partnership(posts: PostQuerySet) -> PostQuerySet:
    """Return the posts with their partnerships, by partnership and role."""
    return posts.select_related("partnership").order_by("partnership", "role", "title", "pk")


def _posts_held(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return the posts that the person holds for the organisation."""
    own_holders = Holder.objects.current_or_future(day).filter(post=OuterRef("pk"), person=person)
    posts = Post.objects.in_use().filter(Exists(own_holders), organisation=organisation)
    return _post_records(_by_partnership(posts))


def _vacant_posts(organisation_id: int, now: dt.datetime) -> PostQuerySet:
    """Return the posts of the organisation that nobody holds."""
    return _by_partnership(Post.objects.vacant_on(timezone.localdate(now)).filter(organisation=organisation_id))


def _hand_over_post(handover: OwnershipHandover) -> None:
    """Give a post to a colleague. Raises `UnableToHandOver`."""
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
    rows_without_owner=_vacant_posts,
    to_records=_post_records,
    hand_over=_hand_over_post,
    waits_alone=True,
)


def _open_objectives(organisation_id: int, owners: Iterable[int]) -> QuerySet[Objective]:
    """Return the open objectives of the organisation that these people (ids) own."""
    objectives = Objective.objects.filter(status=ObjectiveStatus.OPEN, organisation=organisation_id, owner__in=owners)
    return objectives.select_related("partnership").order_by("partnership", "position", "pk")


def _objective_records(objectives: Iterable[Objective]) -> list[OwnedRecord]:
    """Return what pages show about these objectives."""
    return [
        OwnedRecord(objective.pk, objective.text, objective.get_absolute_url(), objective.partnership.title)
        for objective in objectives
    ]


def _objectives_held(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return the objectives that the person owns for the organisation."""
    return _objective_records(_open_objectives(organisation.pk, [person.pk]))


def _objectives_of_leavers(organisation_id: int, now: dt.datetime) -> QuerySet[Objective]:
    """Return the objectives whose owner no longer acts for the organisation."""
    return _open_objectives(organisation_id, former_people_of(organisation_id, timezone.localdate(now)))


def _hand_over_objective(handover: OwnershipHandover) -> None:
    """Make a colleague the owner of an objective. Raises `UnableToHandOver`."""
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
    except UnableToChangeObjective as error:
        raise UnableToHandOver(str(error)) from error


OBJECTIVES = OwnedKind(
    code="objectives",
    label="Objectives",
    fields=("agreements.Objective.owner",),
    held=_objectives_held,
    rows_without_owner=_objectives_of_leavers,
    to_records=_objective_records,
    hand_over=_hand_over_objective,
    goes_to_colleague=True,
)


def leave_posts(departure: Departure) -> int:
    """End a leaver's time in every post of the organisation, and return how many posts they held.

    If `departure` names a successor, the successor gets the posts that the author may fill. If nobody leads the
    organisation any longer, administrators and the holders of the escalation post get an email.
    """
    membership = departure.membership
    if membership.is_lead and not leads_of(membership.organisation).exclude(pk=membership.person_id).exists():
        email_no_lead(organisation=membership.organisation, leaver=membership.person, now=departure.now)
    organisation, today = membership.organisation, timezone.localdate(departure.now)
    roles = roles_of(departure.author, departure.now)
    own_holders = Holder.objects.current_or_future(today).filter(
        person=membership.person_id, post__organisation=organisation
    )
    post_by_pk = {
        holder.post_id: holder.post for holder in own_holders.select_related("post").order_by("post__partnership", "pk")
    }
    reason = f"The holder no longer acts for {organisation.display_name}."
    successor = departure.successor
    for post in post_by_pk.values():
        end_holding_of(post=post, person=membership.person, reason=reason, author=departure.author, now=departure.now)
        if successor is None or not may_fill_posts_with(post.role, roles, organisation.pk):
            continue
        holds_it_already = Holder.objects.current_or_future(today).filter(post=post, person=successor).exists()
        is_in_use = Post.objects.in_use().filter(pk=post.pk).exists()
        if is_in_use and not holds_it_already:
            fill_post(post=post, person=successor, reason=reason, author=departure.author, now=departure.now)
    return len(post_by_pk)
