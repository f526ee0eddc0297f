"""Copy posts and their holders to the successor of a partnership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Holder, Partnership, Post
from partnerships.agreements.services.post_emails import email_contact
from partnerships.agreements.services.posts import record_post_event
from partnerships.people.models import User


def copy_posts(
    *,
    partnership: Partnership,
    successor: Partnership,
    organisation_ids: Collection[int],
    author: User | None,
    now: dt.datetime,
) -> int:
    """Copy the open posts of these organisations to the successor, and return how many posts were copied.

    Present holders are copied too, with their contact details. Contacts without an account are emailed about the data
    that we hold about them. Does not check rights. Call with the organisations and both partnerships locked.
    """
    today = timezone.localdate(now)
    reason = f"Copied from “{partnership.title}”, which this partnership renews."[:300]
    posts = Post.objects.not_ended().filter(partnership=partnership, organisation__in=organisation_ids)
    original_posts = list(posts.select_related("organisation").order_by("pk"))
    for post in original_posts:
        new_post = Post.objects.create(
            organisation=post.organisation,
            partnership=successor,
            role=post.role,
            title=post.title,
            created_at=now,
            created_by=author,
        )
        record_post_event(new_post, EventKind.POST_CREATED, author=author, now=now)
        for holder in post.holders.current(today).select_related("person").order_by("pk"):
            _copy_holder(holder, new_post=new_post, reason=reason, author=author, now=now)
    return len(original_posts)


def _copy_holder(holder: Holder, *, new_post: Post, reason: str, author: User | None, now: dt.datetime) -> None:
    """Give the new post the holder of the original post, with the same contact details."""
    new_holder = Holder.objects.create(
        post=new_post,
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
    record_post_event(new_post, EventKind.POST_FILLED, author=author, now=now, holder=new_holder, reason=reason)
    if new_holder.person_id is None:
        email_contact(new_holder, now=now)
