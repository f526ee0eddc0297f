"""Copy posts to a renewed partnership, or pass them to a successor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import SHARED_ROLES, Holder, Partnership, Post
from partnerships.agreements.services.posts import (
    UnableToChangePost,
    check_part,
    lock_post,
    make_way,
    record_of_post,
    settle_post,
    tell_contact,
)
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


def copy_posts(
    *,
    partnership: Partnership,
    successor: Partnership,
    organisations: Collection[int],
    author: User | None,
    now: dt.datetime,
) -> int:
    """Copy posts to a renewed partnership; returns how many.

    Present holders go with them; the posts of the earlier partnership keep their history. Contacts without an account
    get an email about the data held about them. Call with organisations and both partnerships locked, after checking
    the rights.
    """
    today, reason = timezone.localdate(now), f"As in “{partnership.title}”, which this one renews."[:300]
    posts = Post.objects.open().filter(partnership=partnership, organisation__in=organisations)
    copied = list(posts.select_related("organisation").order_by("pk"))
    for post in copied:
        made = Post.objects.create(
            organisation=post.organisation,
            partnership=successor,
            role=post.role,
            title=post.title,
            created_at=now,
            created_by=author,
        )
        record_of_post(made, EventKind.POST_CREATED, author=author, now=now)
        for holder in post.holders.on(today).select_related("person").order_by("pk"):
            _give_to(made, holder, reason=reason, author=author, now=now)
    return len(copied)


def _give_to(post: Post, holder: Holder, *, reason: str, author: User | None, now: dt.datetime) -> None:
    """Give a post to the holder of another, with the same contact data."""
    made = Holder.objects.create(
        post=post,
        person=holder.person,
        name=holder.name,
        email=holder.email,
        phone=holder.phone,
        working_days=holder.working_days,
        note=holder.note,
        starts_on=timezone.localdate(now),
        is_alone=holder.is_alone,
        reason=reason,
        added_by=author,
        added_at=now,
    )
    record_of_post(post, EventKind.POST_FILLED, author=author, now=now, holder=made, reason=reason)
    if made.person_id is None:
        tell_contact(made, now=now)


@transaction.atomic
def pass_on_post(
    *, post: Post, successor: Organisation, to: User, reason: str, author: User | None, now: dt.datetime
) -> Post:
    """Pass a post of an ended organisation to a person of its successor.

    Returns the new post. The old one ends and keeps its history. Administrators only. Raises `UnableToChangePost`.
    """
    locked = lock_post(post)
    require(roles_of(author, now).keeps_directory)
    today = timezone.localdate(now)
    if not Membership.objects.current(today).of_person(to).filter(organisation=successor).exists():
        raise UnableToChangePost(f"{to.display_name} does not act for {successor.name}.")
    if locked.partnership is not None:
        check_part(locked.partnership, successor)
    made, is_new = Post.objects.open().get_or_create(
        organisation=successor,
        partnership=locked.partnership,
        role=locked.role,
        title=locked.title,
        ended_on=None,
        defaults={"created_at": now, "created_by": author},
    )
    if is_new:
        record_of_post(made, EventKind.POST_CREATED, author=author, now=now)
    if not made.holders.on(today).filter(person=to).exists():
        if not made.is_shared:
            make_way(made, today, reason, now)
        holder = Holder.objects.create(
            post=made,
            person=to,
            starts_on=today,
            is_alone=made.role not in SHARED_ROLES,
            reason=reason[:300],
            added_by=author,
            added_at=now,
        )
        record_of_post(made, EventKind.POST_FILLED, author=author, now=now, holder=holder, reason=reason)
    settle_post(locked, reason=reason, author=author, now=now)
    return made
