"""Create posts, name their holders, change contact details, and end posts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import SHARED_ROLES, Holder, Partnership, Post, PostRole
from partnerships.agreements.rights import may_fill_posts_with
from partnerships.agreements.services.post_emails import email_contact, email_new_holder, is_emailed_already
from partnerships.agreements.services.recording import lock_partnership
from partnerships.kit import journal
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import lock_organisation
from partnerships.people.models import User


class UnableToChangePost(Exception):
    """The post has ended or has another holder, or a day, reason, name or address is missing or invalid."""


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """Contact details of the holder of a post. Only contacts without an account have a name."""

    name: str = ""
    email: str = ""
    phone: str = ""
    working_days: str = ""
    note: str = ""


@transaction.atomic
def create_post(
    *,
    organisation: Organisation,
    role: str,
    author: User | None,
    now: dt.datetime,
    partnership: Partnership | None = None,
    title: str = "",
) -> Post:
    """Create a vacant post of an organisation, or of an organisation in a partnership.

    Raises `UnableToChangePost`.
    """
    _lock_organisation_and_partnership(organisation.pk, partnership.pk if partnership else None)
    require(may_fill_posts_with(role, roles_of(author, now), organisation.pk))
    title = title.strip()
    if role not in PostRole.values:
        raise UnableToChangePost("Choose a role.")
    if partnership is not None:
        check_takes_part(partnership, organisation)
    if (
        Post.objects.not_ended()
        .filter(organisation=organisation, partnership=partnership, role=role, title=title)
        .exists()
    ):
        raise UnableToChangePost("There is already a post with this role and title. Enter another title.")

    post = Post.objects.create(
        organisation=organisation, partnership=partnership, role=role, title=title, created_at=now, created_by=author
    )
    record_post_event(post, EventKind.POST_CREATED, author=author, now=now)
    return post


@transaction.atomic
def fill_post(
    *,
    post: Post,
    reason: str,
    author: User | None,
    now: dt.datetime,
    person: User | None = None,
    contact: ContactDetails | None = None,
    starts_on: dt.date | None = None,
) -> Holder:
    """Give a post to a person or contact from a day on (by default today), and email the new holder.

    The present holder's time ends on that day, except in a team. A `person` must act for the organisation. Without a
    `person`, `contact` is the holder and needs a name. Raises `UnableToChangePost`.
    """
    locked_post = lock_post(post)
    require(may_fill_posts_with(locked_post.role, roles_of(author, now), locked_post.organisation_id))
    _check_open(locked_post)
    contact = contact or ContactDetails()
    reason = _required_reason(reason)
    day = starts_on or timezone.localdate(now)
    check_holder(locked_post, person, contact, day)

    if not locked_post.is_shared:
        end_present_holdings(locked_post, day, reason, now)
    elif person is not None and locked_post.holders.filter(person=person, ends_on=None).exists():
        raise UnableToChangePost(f"{person.display_name} is already in this team. Choose another person.")
    holder = Holder.objects.create(
        post=locked_post,
        person=person,
        name="" if person else contact.name.strip(),
        email=_valid_email(contact.email),
        phone=contact.phone.strip(),
        working_days=contact.working_days.strip(),
        note=contact.note.strip(),
        starts_on=day,
        is_alone=locked_post.role not in SHARED_ROLES,
        reason=reason,
        added_by=author,
        added_at=now,
    )

    record_post_event(locked_post, EventKind.POST_FILLED, author=author, now=now, holder=holder, reason=reason)
    if person is None:
        if not is_emailed_already(holder):
            email_contact(holder, now=now)
    elif author is not None and person != author:
        email_new_holder(locked_post, holder, person, now=now)
    return holder


@transaction.atomic
def vacate_post(
    *, holder: Holder, reason: str, author: User | None, now: dt.datetime, ends_on: dt.date | None = None
) -> None:
    """End a holder's time in a post on a day (by default today).

    Holders may also give up a post themselves. Raises `UnableToChangePost`.
    """
    post, locked_holder = _lock_current_holder(holder, author=author, now=now)
    reason = _required_reason(reason)
    end_holding(locked_holder, on=ends_on or timezone.localdate(now), reason=reason, now=now)
    holder.ends_on = locked_holder.ends_on
    record_post_event(post, EventKind.POST_VACATED, author=author, now=now, holder=locked_holder, reason=reason)


@transaction.atomic
def change_contact(*, holder: Holder, contact: ContactDetails, author: User | None, now: dt.datetime) -> None:
    """Change a holder's contact details. Holders may also change their own.

    A contact without an account is emailed at a new address. Raises `UnableToChangePost`.
    """
    post, locked_holder = _lock_current_holder(holder, author=author, now=now)
    is_contact = locked_holder.person_id is None
    if is_contact and not contact.name.strip():
        raise UnableToChangePost("Enter the name of the contact.")

    previous_email = locked_holder.email
    locked_holder.name = contact.name.strip() if is_contact else ""
    locked_holder.email = _valid_email(contact.email)
    locked_holder.phone = contact.phone.strip()
    locked_holder.working_days = contact.working_days.strip()
    locked_holder.note = contact.note.strip()
    locked_holder.save(update_fields=["name", "email", "phone", "working_days", "note"])

    record_post_event(post, EventKind.POST_CONTACT_CHANGED, author=author, now=now, holder=locked_holder)
    if is_contact and locked_holder.email.lower() != previous_email.lower():
        email_contact(locked_holder, now=now)


def _lock_current_holder(holder: Holder, *, author: User | None, now: dt.datetime) -> tuple[Post, Holder]:
    """Lock a post, then its holder, and return both. The author must be the holder or may fill the post.

    Raises `UnableToChangePost` if the holder's time in the post is over.
    """
    post = lock_post(holder.post)
    locked_holder = Holder.objects.select_for_update().get(pk=holder.pk)
    roles = roles_of(author, now)
    is_own = author is not None and locked_holder.person_id == author.pk and roles.acts_for(post.organisation_id)
    require(is_own or may_fill_posts_with(post.role, roles, post.organisation_id))
    if locked_holder.ends_on is not None and locked_holder.ends_on <= timezone.localdate(now):
        raise UnableToChangePost(
            f"{locked_holder.display_name} no longer holds this post, so their details can no longer change."
        )
    return post, locked_holder


@transaction.atomic
def remove_contact(*, holder: Holder, now: dt.datetime) -> None:
    """Remove the details of a contact without an account at the contact's request, and end their time in the post.

    Does not check rights, because the contact uses the link in their email. Does nothing if the holder has an account,
    or if the details have been removed before.
    """
    post = lock_post(holder.post)
    locked_holder = Holder.objects.select_for_update().get(pk=holder.pk)
    if locked_holder.person_id is not None or locked_holder.cleared_at is not None:
        return
    today = timezone.localdate(now)
    if locked_holder.ends_on is None or locked_holder.ends_on > today:
        end_holding(locked_holder, on=today, reason="", now=now)
    forget_holder(locked_holder, now=now)
    record_post_event(post, EventKind.POST_CONTACT_REMOVED, author=None, now=now, holder=locked_holder)


def forget_holder(holder: Holder, *, now: dt.datetime) -> None:
    """Empty the contact details of a locked holder. A line in the journal makes a restore empty them again."""
    Holder.objects.filter(pk=holder.pk).clear_contacts()
    journal.note(CLEARED, now=now, holder=holder.pk, same=holder_identity(holder))


@transaction.atomic
def end_post(*, post: Post, reason: str, author: User | None, now: dt.datetime) -> None:
    """End the post today, and the time of its holders. Raises `UnableToChangePost`."""
    locked_post = lock_post(post)
    require(may_fill_posts_with(locked_post.role, roles_of(author, now), locked_post.organisation_id))
    _check_open(locked_post)
    close_post(locked_post, reason=_required_reason(reason), author=author, now=now)
    post.ended_on = locked_post.ended_on


def close_post(post: Post, *, reason: str, author: User | None, now: dt.datetime) -> None:
    """End a post today, and the time of its present and future holders.

    Does not check rights. Lock the post first.
    """
    today = timezone.localdate(now)
    for holder in post.holders.current_or_future(today).select_for_update().order_by("pk"):
        end_holding(holder, on=today, reason=reason, now=now)
    post.ended_on = today
    post.save(update_fields=["ended_on"])
    journal.note(POST, now=now, post=post.pk, same=post_identity(post))
    record_post_event(post, EventKind.POST_ENDED, author=author, now=now, reason=reason)


def end_holding_of(*, post: Post, person: User, reason: str, author: User | None, now: dt.datetime) -> None:
    """End a person's time in a post today, because the person no longer acts for the organisation.

    Does not check rights. Lock the organisation first.
    """
    today = timezone.localdate(now)
    for holder in post.holders.current_or_future(today).filter(person=person).select_for_update().order_by("pk"):
        end_holding(holder, on=today, reason=reason, now=now)
        record_post_event(post, EventKind.POST_VACATED, author=author, now=now, holder=holder, reason=reason)


#: Names of the lines in the journal for the end of a post or of a holder's time, and for removed contact details.
POST = "post"
HOLDER = "post_holder"
CLEARED = "post_contact"


def post_identity(post: Post) -> str:
    """Return the hash by which the journal recognises a post."""
    return journal.identity(post.pk, post.created_at, post.organisation_id)


def holder_identity(holder: Holder) -> str:
    """Return the hash by which the journal recognises a holder's time in a post."""
    return journal.identity(holder.post_id, holder.added_at)


def end_holding(holder: Holder, *, on: dt.date, reason: str, now: dt.datetime) -> None:
    """End a holder's time in a post on a day, or on its first day if it begins later. Lock the holder first."""
    holder.ends_on = max(on, holder.starts_on)
    holder.reason = reason[:300]
    holder.save(update_fields=["ends_on", "reason"])
    journal_end(holder, holder.ends_on, now=now)


def journal_end(holder: Holder, ends_on: dt.date, *, now: dt.datetime) -> None:
    """Note in the journal that the holder's time ends, to end it again after a restore."""
    journal.note(HOLDER, now=now, holder=holder.pk, same=holder_identity(holder), ends_on=ends_on.isoformat())


def _lock_organisation_and_partnership(organisation_id: int, partnership_id: int | None) -> None:
    """Lock the organisation, then the partnership. Ending a membership locks them in the same order."""
    lock_organisation(organisation_id)
    if partnership_id is not None:
        lock_partnership(partnership_id)


def lock_post(post: Post) -> Post:
    """Lock the organisation of a post, its partnership and the post, in this order, and return the post."""
    _lock_organisation_and_partnership(post.organisation_id, post.partnership_id)
    posts = Post.objects.select_for_update(of=("self",)).select_related("organisation", "partnership")
    return posts.get(pk=post.pk)


def _required_reason(reason: str) -> str:
    """Return the reason, trimmed to what a row can store. Raises `UnableToChangePost` if it is missing."""
    if not reason.strip():
        raise UnableToChangePost("Enter a reason.")
    return reason.strip()[:300]


def _valid_email(email: str) -> str:
    """Return the address without spaces around it, or "". Raises `UnableToChangePost` if it is invalid."""
    address = email.strip()
    if not address:
        return ""
    try:
        validate_email(address)
    except ValidationError as error:
        raise UnableToChangePost(
            f"“{address}” is not a complete email address. Enter one like name@example.gov.uk."
        ) from error
    return address


def check_takes_part(partnership: Partnership, organisation: Organisation) -> None:
    """Raise `UnableToChangePost` unless the organisation takes part or is invited."""
    if partnership.is_over:
        raise UnableToChangePost("This partnership has ended, so its posts can no longer change.")
    if not partnership.parties.invited_or_accepted().filter(organisation=organisation).exists():
        raise UnableToChangePost(
            f"{organisation.name} does not take part in this partnership, so it can have no posts there."
        )


def _check_open(post: Post) -> None:
    """Raise `UnableToChangePost` if the post has ended, or its organisation has left its partnership."""
    if post.is_ended:
        raise UnableToChangePost("This post has ended, so nobody can hold it. Add a new post instead.")
    if post.partnership is not None:
        check_takes_part(post.partnership, post.organisation)


def check_holder(post: Post, person: User | None, contact: ContactDetails, day: dt.date) -> None:
    """Check that the person acts for the organisation on that day, or that the contact has a name.

    Raises `UnableToChangePost`.
    """
    if person is None:
        if not contact.name.strip():
            raise UnableToChangePost("Choose a person or enter a name.")
        return
    memberships = Membership.objects.current(day).of_person(person).filter(organisation=post.organisation_id)
    if not memberships.exists():
        raise UnableToChangePost(
            f"{person.display_name} does not act for {post.organisation.name} on that day. "
            "Choose another person or another day."
        )


def end_present_holdings(post: Post, day: dt.date, reason: str, now: dt.datetime) -> None:
    """End the time of the present holder on a day.

    Raises `UnableToChangePost` if somebody is already due to take up the post later.
    """
    holders = post.holders.current_or_future(day).select_for_update().order_by("starts_on", "pk")
    for holder in holders:
        if holder.starts_on > day:
            raise UnableToChangePost(
                f"{holder.display_name} is due to take up this post on {long_date(holder.starts_on)}. "
                "Choose a later day, or end their time in the post first."
            )
        end_holding(holder, on=day, reason=reason, now=now)


def record_post_event(
    post: Post,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    holder: Holder | None = None,
    reason: str = "",
) -> None:
    """Record an event about a post. The event names no holder, because people may ask to be erased."""
    data: dict[str, object] = {"title": f"{post} ({post.organisation})"}
    if holder is not None:
        data["holder"] = holder.pk
    if reason:
        data["reason"] = reason
    record(
        actor_id=author.pk if author else None,
        organisation_id=post.organisation_id if author else None,
        kind=event,
        target_kind="post",
        target_id=post.pk,
        within_kind="partnership" if post.partnership_id else "organisation",
        within_id=post.partnership_id or post.organisation_id,
        now=now,
        data=data,
    )
