"""Create the first administrator of a new network, by a one-time link.

The link is signed and not stored. It works for a day, and only if the network has never had an administrator.
"""

from __future__ import annotations

import datetime as dt
import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.signing import BadSignature, TimestampSigner
from django.db import connection, transaction

from partnerships.people.administrators import set_administration
from partnerships.people.models import SecurityEvent, SecurityEventKind, User, confirm_address
from partnerships.people.services import UnableToAddPerson, find_person, person_for_address

#: How long a printed link works.
LIFETIME = dt.timedelta(days=1)
#: The key of the advisory lock. No other lock in this database may use this key.
_LOCK = 7_261_051
_signer = TimestampSigner(salt="first administrator")


class UnableToBegin(Exception):
    """Raised if the link is not valid, or another person has the address."""


def is_wanted() -> bool:
    """Return True if the network has never had an administrator."""
    return not (
        User.objects.filter(is_staff=True).exists()
        or SecurityEvent.objects.filter(kind=SecurityEventKind.ADMINISTRATION).exists()
    )


def new_token() -> str:
    """Return a token for a link that is valid from now."""
    return _signer.sign(secrets.token_urlsafe(24))


def is_valid(token: str) -> bool:
    """Return True if the token's link works now."""
    try:
        _signer.unsign(token, max_age=LIFETIME)
    except BadSignature:
        return False
    return is_wanted()


@transaction.atomic
def become_first_administrator(*, token: str, email: str, name: str, password: str, now: dt.datetime) -> User:
    """Create the first administrator, with an account and a confirmed address.

    A lock prevents two people who open the link at the same time from both succeeding. Raises `UnableToBegin`, and
    Django's `ValidationError` if the password is not valid.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if not is_valid(token):
        raise UnableToBegin("This link has been used or has expired. Ask the people who run this site for a new link.")
    if find_person(email) is not None:
        raise UnableToBegin("Another person already has this email address. Enter a different one.")
    try:
        person = person_for_address(email=email, name=name)
    except UnableToAddPerson as error:
        raise UnableToBegin(str(error)) from error
    validate_password(password, person)
    person.set_password(password)
    person.account_since = now
    person.save(update_fields=["password", "account_since"])
    confirm_address(person)
    set_administration(person, granted=True, author=None, reason="The first administrator.", now=now)
    return person
