"""Copy posts to a renewed partnership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Holder, Partnership, Post
from partnerships.agreements.services.posts import record_of_post, tell_contact
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
    copied = Holder.objects.create(
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
    record_of_post(post, EventKind.POST_FILLED, author=author, now=now, holder=copied, reason=reason)
    if copied.person_id is None:
        tell_contact(copied, now=now)
