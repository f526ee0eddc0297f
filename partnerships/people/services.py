"""Add, invite and change people, and close accounts."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower

from partnerships.activity.services import record
from partnerships.activity.values import apply_changes
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.outbox.services import record_email, record_emails
from partnerships.people.administrators import (
    email_administration_change,
    journal_administration,
    lock_with_administrators,
    recipient_ids,
)
from partnerships.people.event_kinds import EventKind
from partnerships.people.leaving import Leaving, run_leaving_hooks
from partnerships.people.models import Invitation, SecurityEvent, SecurityEventKind, User, confirm_address
from partnerships.people.rights import rights_over
from partnerships.people.sessions import end_sessions
from partnerships.people.sign_in_journal import journal_address, journal_factors

#: How long an invitation is valid. Retention removes it seven days later (docs/privacy.md).
INVITATION_LIFETIME = dt.timedelta(days=14)


class UnableToAddPerson(Exception):
    """Raised if the address is not a valid email address."""


class UnableToAcceptInvitation(Exception):
    """Raised if the invitation is used, revoked or expired, or its person has left."""


class UnableToRemoveSecondFactor(Exception):
    """Raised if the reason is missing, the second factors are the author's own, or the person has none."""


class UnableToCloseAccount(Exception):
    """Raised if the person has left before, or is the last administrator."""


def find_person(email: str) -> User | None:
    """Return the person with this address, ignoring upper and lower case; None if there is none.

    One query, which uses the unique index.
    """
    return User.objects.alias(lowered=Lower("email")).filter(lowered=Lower(Value(email.strip()))).first()


def person_for_address(*, email: str, name: str = "") -> User:
    """Return the person with this address, who is created as a stakeholder if necessary.

    An existing person keeps their name. Raises `UnableToAddPerson` if the text is not an email address.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise UnableToAddPerson(f"“{email}” is not an email address. Enter one like name@example.org.") from error
    person = find_person(email)
    if person is not None:
        return person
    try:
        with transaction.atomic():
            return User.objects.create_user(email, name=name.strip())
    except IntegrityError:  # another transaction has created the person in the meantime
        return User.objects.get(email__iexact=email)


def hash_token(token: str) -> str:
    """Return the SHA-256 hash of a token in hex. The token itself is never stored."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def create_invitation(
    *, person: User, invited_by: User | None, message: str = "", now: dt.datetime
) -> tuple[Invitation, str]:
    """Create an invitation, and return it with its token.

    Earlier open invitations of the person remain valid.
    """
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        person=person,
        invited_by=invited_by,
        token_hash=hash_token(token),
        message=message,
        created_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    return invitation, token


@transaction.atomic
def accept_invitation(*, token: str, now: dt.datetime, name: str = "", password: str | None = None) -> Invitation:
    """Accept an invitation, which works once. A person without an account also chooses a password.

    Raises `UnableToAcceptInvitation` if the token is not valid, and Django's `ValidationError` if the password is not.
    """
    invitations = Invitation.objects.select_for_update(of=("self",)).select_related("person")
    invitation = invitations.filter(token_hash=hash_token(token)).open_at(now).first()
    if invitation is None or not invitation.person.is_active:
        raise UnableToAcceptInvitation(
            "This invitation has been used or withdrawn, or it has expired. Ask for a new invitation."
        )
    person = invitation.person
    if person.is_stakeholder and password is None:
        raise UnableToAcceptInvitation("Choose a password.")

    if person.is_stakeholder and password is not None:
        _open_account(person, name.strip(), password, now)
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    record(
        actor_id=person.pk,
        kind=EventKind.INVITATION_ACCEPTED,
        target_kind="person",
        target_id=person.pk,
        now=now,
    )
    return invitation


def _open_account(person: User, name: str, password: str, now: dt.datetime) -> None:
    """Give a stakeholder an account. Raises Django's `ValidationError` if the password is not valid."""
    validate_password(password, person)
    person.set_password(password)
    person.name = name or person.name
    person.account_since = now
    person.save(update_fields=["password", "name", "account_since"])
    confirm_address(person)


@transaction.atomic
def change_details(*, person: User, name: str, time_zone: str, author: User, now: dt.datetime) -> None:
    """Change a person's name and time zone."""
    locked_person = User.objects.select_for_update().get(pk=person.pk)
    require(rights_over(locked_person, author).may_change_details)
    before, after = apply_changes(locked_person, {"name": name.strip(), "time_zone": time_zone})
    if not before:
        return
    locked_person.save(update_fields=list(before))
    person.name = locked_person.name
    person.time_zone = locked_person.time_zone

    # The event contains no names, because the log stays when the person is erased.
    zone_change: dict[str, Any] = {}
    if "time_zone" in before:
        zone_change = {
            "before": {"time_zone": before["time_zone"]},
            "after": {"time_zone": after["time_zone"]},
        }
    record(
        actor_id=author.pk,
        kind=EventKind.DETAILS_CHANGED,
        target_kind="person",
        target_id=person.pk,
        now=now,
        data=zone_change,
    )


#: The kind of journal line about a closed account.
CLOSED = "account closed"


@transaction.atomic
def close_account(
    *,
    person: User,
    author: User | None,
    reason: str,
    now: dt.datetime,
    successor: User | None = None,
    even_last_administrator: bool = False,
) -> dict[str, int]:
    """Close an account, so that the person has no rights and cannot sign in.

    `successor` takes over the person's work. An administrator permanently loses administration, and is emailed with the
    other administrators. The last administrator's account is closed only with `even_last_administrator`, after a
    restore. Returns the number of items that each room ended or handed over. Raises `UnableToCloseAccount`.
    """
    locked_person, other_administrators = lock_with_administrators(person)
    require(rights_over(locked_person, author).may_administer)
    if not locked_person.is_active:
        raise UnableToCloseAccount(
            f"{locked_person.display_name} has already left, so you do not need to close the account."
        )
    if successor is not None and (successor.pk == locked_person.pk or not successor.is_active):
        raise UnableToCloseAccount("Choose another person with an account to take over their work.")
    was_administrator = locked_person.is_staff
    if was_administrator and not other_administrators and not even_last_administrator:
        raise UnableToCloseAccount("The network needs an administrator. Make another person an administrator first.")

    counts_by_hook = run_leaving_hooks(
        Leaving(person=locked_person, author=author, successor=successor, reason=reason, now=now)
    )
    journal.note(CLOSED, now=now, person=locked_person.pk, joined=locked_person.joined_at.isoformat())
    counts_by_hook["sessions ended"] = end_sessions(locked_person)
    open_invitations = Invitation.objects.filter(person=locked_person, accepted_at=None, revoked_at=None)
    counts_by_hook["invitations withdrawn"] = open_invitations.update(revoked_at=now)
    _set_closed(locked_person, now)
    locked_person.save(update_fields=["is_active", "left_at", "is_staff", "is_superuser"])

    SecurityEvent.objects.create(person=locked_person, kind=SecurityEventKind.ACCESS_ENDED, at=now)
    event = record(
        actor_id=author.pk if author else None,
        kind=EventKind.ACCESS_ENDED,
        target_kind="person",
        target_id=locked_person.pk,
        now=now,
        data={"reason": reason, "after": counts_by_hook},
    )
    if was_administrator:
        journal_administration(locked_person, granted=False, now=now)
        email_administration_change(locked_person, event=event, granted=False, now=now)
        record_email(kind="people.account_closed", person_id=locked_person.pk, params={"event": event.pk}, now=now)
    # The caller's object gets the new values, too.
    _set_closed(person, now)
    return counts_by_hook


def _set_closed(person: User, now: dt.datetime) -> None:
    """Set the fields of a closed account, without saving them."""
    person.is_active = False
    person.left_at = now
    person.is_staff = False
    person.is_superuser = False


@transaction.atomic
def reopen_account(*, person: User, author: User | None, now: dt.datetime, reason: str) -> None:
    """Reopen a closed account, without its memberships and shares.

    Does nothing if the account is open or its person erased. `author` is None if this is repeated after a restore.
    """
    locked_person = User.objects.select_for_update().get(pk=person.pk)
    require(rights_over(locked_person, author).may_administer)
    if locked_person.is_active or locked_person.erased_at is not None:
        return

    locked_person.is_active = True
    locked_person.left_at = None
    locked_person.save(update_fields=["is_active", "left_at"])
    record(
        actor_id=author.pk if author else None,
        kind=EventKind.ACCESS_RESTORED,
        target_kind="person",
        target_id=person.pk,
        now=now,
        data={"reason": reason},
    )
    journal.note(CLOSED, now=now, person=person.pk, joined=person.joined_at.isoformat(), undone=True)
    person.is_active = True
    person.left_at = None


def record_address_change(*, person: User, now: dt.datetime) -> None:
    """Record that a person's email address changed, without the address itself."""
    journal_address(person, now=now)
    record(actor_id=person.pk, kind=EventKind.EMAIL_CHANGED, target_kind="person", target_id=person.pk, now=now)


@transaction.atomic
def remove_second_factors(*, person: User, author: User, reason: str, now: dt.datetime) -> int:
    """Remove all second factors and recovery codes of a person who has lost them; return their number.

    The person is signed out everywhere and emailed. Raises `UnableToRemoveSecondFactor`.
    """
    locked_person = User.objects.select_for_update().get(pk=person.pk)
    require(rights_over(locked_person, author).may_administer)
    if author.pk == person.pk:
        raise UnableToRemoveSecondFactor(
            "You cannot remove your own second factor here. Change it in your account, or ask another administrator."
        )
    if not reason.strip():
        raise UnableToRemoveSecondFactor("Enter a reason.")

    count: int = Authenticator.objects.filter(user=person).delete()[0]
    if not count:
        raise UnableToRemoveSecondFactor(
            f"{person.display_name} has no second factor, so you do not need to remove one."
        )
    end_sessions(person)
    SecurityEvent.objects.create(person=person, kind=SecurityEventKind.SECOND_FACTOR_CHANGED, at=now)
    journal_factors(locked_person, now=now)

    event = record(
        actor_id=author.pk,
        kind=EventKind.SECOND_FACTOR_REMOVED,
        target_kind="person",
        target_id=person.pk,
        now=now,
        data={"reason": reason.strip()},
    )
    record_emails(
        kind="people.second_factor_removed",
        people=recipient_ids(person, administrators=person.is_staff),
        params={"event": event.pk},
        now=now,
    )
    return count
