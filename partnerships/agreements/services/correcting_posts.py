"""Let administrators correct the title of a post, its holder and the holder's days, with a reason."""

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
    """Correct the title of a post, and return whether it changed. Raises `UnableToChangePost`.

    The role cannot be corrected: for another role, add another post.
    """
    require(roles_of(author, now).keeps_directory)
    locked_post = lock_post(post)
    title = " ".join(title.split())
    if title == locked_post.title:
        return False
    if not reason.strip():
        raise UnableToChangePost("Give a reason.")
    duplicates = Post.objects.open().filter(
        organisation=locked_post.organisation_id,
        partnership=locked_post.partnership_id,
        role=locked_post.role,
        title=title,
    )
    if locked_post.ended_on is None and duplicates.exclude(pk=locked_post.pk).exists():
        raise UnableToChangePost("There is already a post with this role and title. Enter another title.")
    locked_post.title = title
    locked_post.save(update_fields=["title"])
    post.title = title
    record_post_event(locked_post, EventKind.POST_CORRECTED, author=author, now=now, reason=reason.strip())
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
    """Correct the holder of a post and the days of holding it, and return whether anything changed.

    `ends_on` is the first day on which the person no longer held the post, or None if the person still does. With
    `person` None, the holder stays the same. Another holder must act for the organisation, and the contact details of
    the first holder are cleared. Administrators cannot correct contact details or contacts without an account: only the
    organisation can. Raises `UnableToChangePost`.
    """
    require(roles_of(author, now).keeps_directory)
    post = lock_post(holder.post)
    locked_holder = Holder.objects.select_for_update().get(pk=holder.pk)
    has_new_holder = person is not None and person.pk != locked_holder.person_id
    if (starts_on, ends_on) == (locked_holder.starts_on, locked_holder.ends_on) and not has_new_holder:
        return False
    if not reason.strip():
        raise UnableToChangePost("Give a reason.")
    locked_holder.starts_on, locked_holder.ends_on = starts_on, ends_on
    if ends_on is not None and ends_on < starts_on:
        raise UnableToChangePost("The end must not be before the start.")
    if post.ended_on is not None and (ends_on is None or ends_on > max(post.ended_on, starts_on)):
        raise UnableToChangePost(f"The post ended on {long_date(post.ended_on)}, so nobody can hold it after that day.")
    if has_new_holder and person is not None:
        if locked_holder.person_id is None:
            raise UnableToChangePost(
                f"{locked_holder.name} has no account, so only {post.organisation.name} can name another holder."
            )
        check_holder(post, person, Contact(), starts_on)
        # An older backup still has the first holder. When it is restored, the journal must end this holder's time.
        note_end(locked_holder, starts_on, now=now)
        locked_holder.person = person
        for field in CONTACT_FIELDS:
            setattr(locked_holder, field, "")
    try:
        # Save within a savepoint, so that the constraint against overlapping days does not break the whole transaction.
        with transaction.atomic():
            locked_holder.save(update_fields=["starts_on", "ends_on", "person", *CONTACT_FIELDS])
    except IntegrityError as error:
        raise UnableToChangePost(
            "Another person holds this post on some of these days. Choose days when nobody else holds it."
        ) from error
    if ends_on is not None:
        note_end(locked_holder, ends_on, now=now)
    holder.starts_on, holder.ends_on, holder.person = starts_on, ends_on, locked_holder.person
    record_post_event(
        post, EventKind.HOLDER_CORRECTED, author=author, now=now, holder=locked_holder, reason=reason.strip()
    )
    # Only a present or future holder needs the email.
    if has_new_holder and person is not None and (ends_on is None or ends_on > timezone.localdate(now)):
        record_email(
            kind="agreements.post_filled",
            person_id=person.pk,
            params={"holder": locked_holder.pk},
            sender_id=post.organisation_id,
            now=now,
        )
    return True
