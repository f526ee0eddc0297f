"""Copy posts and their holders to the successor of a partnership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Holder, Partnership, Post
from partnerships.agreements.services.posts import email_contact, record_post_event
from partnerships.people.models import User


def copy_posts(
    *,
    partnership: Partnership,
    successor: Partnership,
    organisations: Collection[int],
    author: User | None,
    now: dt.datetime,
) -> int:
    """Copy the open posts of some organisations with their present holders, and return how many.

    The original posts keep their history. Contacts without an account are emailed what we hold about them. Call with
    the organisations and both partnerships locked. Does not check rights.
    """
    today = timezone.localdate(now)
    reason = f"As in “{partnership.title}”, which this one renews."[:300]
    posts = Post.objects.open().filter(partnership=partnership, organisation__in=organisations)
    originals = list(posts.select_related("organisation").order_by("pk"))
    for post in originals:
        new_post = Post.objects.create(
            organisation=post.organisation,
            partnership=successor,
            role=post.role,
            title=post.title,
            created_at=now,
            created_by=author,
        )
        record_post_event(new_post, EventKind.POST_CREATED, author=author, now=now)
        for holder in post.holders.on(today).select_related("person").order_by("pk"):
            _copy_holder(holder, to=new_post, reason=reason, author=author, now=now)
    return len(originals)


def _copy_holder(holder: Holder, *, to: Post, reason: str, author: User | None, now: dt.datetime) -> None:
    """Give a post to the holder of another post, with the same contact details."""
    new_holder = Holder.objects.create(
        post=to,
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
    record_post_event(to, EventKind.POST_FILLED, author=author, now=now, holder=new_holder, reason=reason)
    if new_holder.person_id is None:
        email_contact(new_holder, now=now)
