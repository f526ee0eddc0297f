"""Bringing people in, and letting them go."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from partnerships.activity.services import record
from partnerships.people.models import Invitation, User, confirm_address

#: How long an invitation stands (SAFETY.md: expiring; retention removes it seven days after).
INVITATION_LIFETIME = dt.timedelta(days=14)


class UnableToAddPerson(Exception):
    """The address is none."""


class UnableToAcceptInvitation(Exception):
    """The invitation is used, revoked, expired, or was for somebody else."""


def find_person(email: str) -> User | None:
    """The person with this address, whatever its letter case, or None."""
    return User.objects.filter(email__iexact=email.strip()).first()


def person_for_address(*, email: str, name: str = "") -> User:
    """The person with this address; a stakeholder without a password is made where there is none.

    Raises `UnableToAddPerson` when the text is not an email address. A known person's name is left alone.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise UnableToAddPerson(f"“{email}” is not an email address.") from error
    found = find_person(email)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return User.objects.create_user(email, name=name.strip())
    except IntegrityError:
        return User.objects.get(email__iexact=email)


def hash_token(token: str) -> str:
    """What is kept of a secret token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def create_invitation(
    *, person: User, invited_by: User | None, message: str = "", now: dt.datetime
) -> tuple[Invitation, str]:
    """A new invitation and its token; earlier open ones of the same person stay as they are."""
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
def accept_invitation(
    *, token: str, now: dt.datetime, name: str = "", password: str | None = None
) -> Invitation:
    """Use an invitation once; a person without a password gets the given one.

    Raises `UnableToAcceptInvitation` when the token opens nothing any more, and Django's `ValidationError` when the
    password does not pass the validators.
    """
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("person")
        .filter(token_hash=hash_token(token))
        .open(now)
        .first()
    )
    if invitation is None or not invitation.person.is_active:
        raise UnableToAcceptInvitation("This invitation has been used, withdrawn or has expired.")
    person = invitation.person
    if person.is_stakeholder and password is not None:
        validate_password(password, person)
        person.set_password(password)
        person.name = name.strip() or person.name
        person.account_since = now
        person.save(update_fields=["password", "name", "account_since"])
        confirm_address(person)
    elif person.is_stakeholder:
        raise UnableToAcceptInvitation("Choose a password to come in.")
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    record(
        actor_id=person.pk,
        verb="accepted an invitation",
        target_kind="person",
        target_id=person.pk,
        now=now,
    )
    return invitation


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, author: User, now: dt.datetime) -> None:
    """Withdraw an invitation that has not been used; its link opens nothing from now on."""
    Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(revoked_at=now)
    record(
        actor_id=author.pk,
        verb="withdrew an invitation",
        target_kind="person",
        target_id=invitation.person_id,
        now=now,
    )
