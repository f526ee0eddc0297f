"""Correct the title of a post, by administrators and with a reason."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Post
from partnerships.agreements.services.posts import UnableToChangePost, lock_post, record_of_post
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


@transaction.atomic
def correct_post(*, post: Post, title: str, reason: str, author: User | None, now: dt.datetime) -> bool:
    """Correct the title; whether it changed. The role stays: another role is another post.

    Raises `UnableToChangePost`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_post(post)
    title = " ".join(title.split())
    if title == locked.title:
        return False
    if not reason.strip():
        raise UnableToChangePost("Give a reason.")
    same = Post.objects.open().filter(
        organisation=locked.organisation_id, partnership=locked.partnership_id, role=locked.role, title=title
    )
    if locked.ended_on is None and same.exclude(pk=locked.pk).exists():
        raise UnableToChangePost("There is already a post with this role and title.")
    locked.title = title
    locked.save(update_fields=["title"])
    post.title = title
    record_of_post(locked, EventKind.POST_CORRECTED, author=author, now=now, reason=reason.strip())
    return True
