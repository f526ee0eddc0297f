"""Correct a post's title, its holder and their days, by administrators and with a reason."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import CONTACT_FIELDS, Holder, Post
from partnerships.agreements.services.posts import (
    Contact,
    UnableToChangePost,
    check_holder,
    lock_post,
    note_end,
    record_post_event,
)
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import record_email
from partnerships.people.models import User


@transaction.atomic
def correct_post(*, post: Post, title: str, reason: str, author: User | None, now: dt.datetime) -> bool:
    """Correct the title; whether it changed.

    The role stays: another role is another post. Raises `UnableToChangePost`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_post(post)
    title = " ".join(title.split())
    if title == locked.title:
        return False
    if not reason.strip():
        raise UnableToChangePost("Give a reason.")
    duplicates = Post.objects.open().filter(
        organisation=locked.organisation_id, partnership=locked.partnership_id, role=locked.role, title=title
    )
    if locked.ended_on is None and duplicates.exclude(pk=locked.pk).exists():
        raise UnableToChangePost("There is already a post with this role and title.")
    locked.title = title
    locked.save(update_fields=["title"])
    post.title = title
    record_post_event(locked, EventKind.POST_CORRECTED, author=author, now=now, reason=reason.strip())
    return True


@transaction.atomic
def correct_holder(
    *,
    holder: Holder,
    starts_on: dt.date,
    ends_on: dt.date | None,
    reason: str,
    author: User | None,
    now: dt.datetime,
    person: User | None = None,
) -> bool:
    """Correct who held a post, and on which days; whether something changed. The end day is exclusive.

    Another `person` (None: as it is) must act for the organisation; how to reach the first one is emptied then. A
    contact without an account, and how to reach somebody, are their organisation's to change. Raises
    `UnableToChangePost`.
    """
    require(roles_of(author, now).keeps_directory)
    post = lock_post(holder.post)
    locked = Holder.objects.select_for_update().get(pk=holder.pk)
    is_another = person is not None and person.pk != locked.person_id
    if (starts_on, ends_on) == (locked.starts_on, locked.ends_on) and not is_another:
        return False
    if not reason.strip():
        raise UnableToChangePost("Give a reason.")
    locked.starts_on, locked.ends_on = starts_on, ends_on
    if ends_on is not None and ends_on < starts_on:
        raise UnableToChangePost("The end must not be before the start.")
    if post.ended_on is not None and (ends_on is None or ends_on > max(post.ended_on, starts_on)):
        raise UnableToChangePost(f"The post ended on {long_date(post.ended_on)}, so nobody can hold it after that day.")
    if is_another and person is not None:
        if locked.person_id is None:
            raise UnableToChangePost("Only the organisation can change a contact without an account.")
        check_holder(post, person, Contact(), starts_on)
        note_end(locked, starts_on, now=now)  # of the first one, for a backup that still has them
        locked.person = person
        for field in CONTACT_FIELDS:
            setattr(locked, field, "")
    try:
        with transaction.atomic():
            locked.save(update_fields=["starts_on", "ends_on", "person", *CONTACT_FIELDS])
    except IntegrityError as error:
        raise UnableToChangePost("Somebody already holds this post on some of these days.") from error
    if ends_on is not None:
        note_end(locked, ends_on, now=now)
    holder.starts_on, holder.ends_on, holder.person = starts_on, ends_on, locked.person
    record_post_event(post, EventKind.HOLDER_CORRECTED, author=author, now=now, holder=locked, reason=reason.strip())
    if is_another and person is not None and (ends_on is None or ends_on > timezone.localdate(now)):
        record_email(
            kind="agreements.post_filled",
            person_id=person.pk,
            params={"holder": locked.pk},
            sender_id=post.organisation_id,
            now=now,
        )
    return True
