"""Let administrators correct the title of a post, its holder and the holder's days, with a reason."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import CONTACT_FIELDS, Holder, Post
from partnerships.agreements.services.post_emails import email_new_holder
from partnerships.agreements.services.posts import (
    ContactDetails,
    UnableToChangePost,
    check_holder,
    journal_end,
    lock_post,
    record_post_event,
)
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


@transaction.atomic
def correct_post(*, post: Post, title: str, reason: str, author: User | None, now: dt.datetime) -> bool:
    """Correct the title of a post, and return whether it changed. Raises `UnableToChangePost`.

    The role cannot be corrected. For another role, people add another post.
    """
    require(roles_of(author, now).may_change_directory)
    locked_post = lock_post(post)
    title = " ".join(title.split())
    if title == locked_post.title:
        return False
    if not reason.strip():
        raise UnableToChangePost("Enter a reason.")
    duplicates = Post.objects.not_ended().filter(
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

    `ends_on` is the first day on which the person no longer held the post, or None if the person still does. `person`
    is the right holder, or None if only the days are wrong. A new holder must act for the organisation and is emailed.
    The contact details of the wrong holder are cleared. Only the organisation itself can correct contact details, and
    contacts without an account. Raises `UnableToChangePost`.
    """
    require(roles_of(author, now).may_change_directory)
    post = lock_post(holder.post)
    locked_holder = Holder.objects.select_for_update().get(pk=holder.pk)
    new_person = person if person is not None and person.pk != locked_holder.person_id else None
    if (starts_on, ends_on) == (locked_holder.starts_on, locked_holder.ends_on) and new_person is None:
        return False
    if not reason.strip():
        raise UnableToChangePost("Enter a reason.")
    _check_days(post, starts_on, ends_on)

    locked_holder.starts_on = starts_on
    locked_holder.ends_on = ends_on
    if new_person is not None:
        _replace_person(locked_holder, new_person, post, now=now)
    _save_corrected(locked_holder)
    if ends_on is not None:
        journal_end(locked_holder, ends_on, now=now)
    holder.starts_on = starts_on
    holder.ends_on = ends_on
    holder.person = locked_holder.person

    record_post_event(
        post, EventKind.HOLDER_CORRECTED, author=author, now=now, holder=locked_holder, reason=reason.strip()
    )
    # Only a present or future holder needs the email.
    if new_person is not None and (ends_on is None or ends_on > timezone.localdate(now)):
        email_new_holder(post, locked_holder, new_person, now=now)
    return True


def _check_days(post: Post, starts_on: dt.date, ends_on: dt.date | None) -> None:
    """Raise `UnableToChangePost` if the end is before the start, or after the end of the post."""
    if ends_on is not None and ends_on < starts_on:
        raise UnableToChangePost("The end date must not be before the start date.")
    if post.ended_on is not None and (ends_on is None or ends_on > max(post.ended_on, starts_on)):
        raise UnableToChangePost(f"The post ended on {long_date(post.ended_on)}, so nobody can hold it after that day.")


def _replace_person(holder: Holder, person: User, post: Post, *, now: dt.datetime) -> None:
    """Put a person in the place of a wrong holder, without saving, and clear the contact details.

    Raises `UnableToChangePost` if the holder has no account, or the person does not act for the organisation.
    """
    if holder.person_id is None:
        raise UnableToChangePost(
            f"{holder.name} has no account, so only {post.organisation.name} can name another holder."
        )
    check_holder(post, person, ContactDetails(), holder.starts_on)
    # An older backup still has the first holder. When it is restored, the journal must end this holder's time.
    journal_end(holder, holder.starts_on, now=now)
    holder.person = person
    for field in CONTACT_FIELDS:
        setattr(holder, field, "")


def _save_corrected(holder: Holder) -> None:
    """Save the corrected fields.

    Raises `UnableToChangePost` if another person holds the post on some of these days.
    """
    try:
        # A savepoint, because after the error of a constraint PostgreSQL would refuse all further queries.
        with transaction.atomic():
            holder.save(update_fields=["starts_on", "ends_on", "person", *CONTACT_FIELDS])
    except IntegrityError as error:
        raise UnableToChangePost("Another person holds this post on some of these days. Choose other days.") from error
