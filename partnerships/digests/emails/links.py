"""Makes and checks signed links, each for one person and one purpose.

A token is `person.minute.record.signature`. The signature covers all other parts of the token, the purpose and the
person's link key, so a new link key makes all earlier links invalid.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from partnerships.digests.models import Preference
from partnerships.people.models import User

_SIGNATURE = 22  # characters of base64: 132 bits
_EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_MINUTE = dt.timedelta(minutes=1)


class Purpose(Enum):
    """The purpose of a link, which decides what its bearer may do.

    Links for stopping work for two years, because people and mail programs (RFC 8058) use them long after the email
    arrived.
    """

    STOP = "stop"
    PREFERENCES = "preferences"
    READ = "read"
    CONFIRM = "confirm"

    @property
    def lifetime(self) -> dt.timedelta:
        """Return how long a link for this purpose works."""
        return _LIFETIMES[self]


_LIFETIMES = {
    Purpose.STOP: dt.timedelta(days=730),
    Purpose.PREFERENCES: dt.timedelta(days=30),
    Purpose.READ: dt.timedelta(days=30),
    Purpose.CONFIRM: dt.timedelta(days=14),
}


class BadLink(Exception):
    """The link was not signed by this site, is for another purpose, or has expired."""


class ExpiredLink(BadLink):
    """The link was signed by this site, but has expired."""


@dataclass(frozen=True, slots=True)
class Link:
    """The content of a link: its reader, when it was made, and its record.

    `record_id` is the id of the subscription in a link that confirms one. In other links it is the id of the email that
    contained the link, or 0 if the link was made for a page.
    """

    person: User
    made_at: dt.datetime
    record_id: int


@lru_cache(maxsize=8)
def _secret(secret: str) -> bytes:
    """Derive the key for signing links from a secret key of the site."""
    return salted_hmac("partnerships.digests.links", "key", secret=secret, algorithm="sha256").digest()


def _signatures(secret: str, link_key: str, payload: str) -> bytes:
    """Return 64 bytes, which contain a signature of 16 bytes (128 bits) for each purpose."""
    return hmac.digest(_secret(secret), f"{link_key}:{payload}".encode(), hashlib.sha512)


def _signature_for(signatures: bytes, purpose: Purpose) -> str:
    """Return the signature for one purpose, as text for a URL."""
    start = _SIGNATURE_OFFSETS[purpose]
    return base64.urlsafe_b64encode(signatures[start : start + 16])[:_SIGNATURE].decode()


#: Where the signature for each purpose starts, in bytes. New purposes go last: another order breaks links already sent.
_SIGNATURE_OFFSETS = {purpose: 16 * index for index, purpose in enumerate(Purpose)}


def make(purpose: Purpose, *, person_id: int, link_key: str, record_id: int, minute: int) -> str:
    """Return a token for one purpose.

    `minute` is the time from `minute_of`, which callers compute once for a whole batch of emails.
    """
    return make_all((purpose,), person_id=person_id, link_key=link_key, record_id=record_id, minute=minute)[0]


def make_all(purposes: Sequence[Purpose], *, person_id: int, link_key: str, record_id: int, minute: int) -> list[str]:
    """Return a token for each purpose, in the same order.

    One operation signs all of them, because a digest has three links and a batch has hundreds of digests.
    """
    payload = f"{person_id:x}.{minute:x}.{record_id:x}"
    signatures = _signatures(settings.SECRET_KEY, link_key, payload)
    return [f"{payload}.{_signature_for(signatures, purpose)}" for purpose in purposes]


def is_current(purpose: Purpose, token: str, *, link_key: str) -> bool:
    """Return True if the signature of a token is valid for this purpose and link key."""
    payload, _, signature = token.rpartition(".")
    return any(
        hmac.compare_digest(
            _signature_for(_signatures(secret, link_key, payload), purpose).encode(), signature.encode()
        )
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


def minute_of(moment: dt.datetime) -> int:
    """Return the whole minutes since the start of 2024, as a token contains them."""
    return (moment - _EPOCH) // _MINUTE


def read(purpose: Purpose, token: str, *, now: dt.datetime, allow_expired: bool = False) -> Link:
    """Check a token for a purpose, and return its content. Raises `BadLink` or `ExpiredLink`.

    Links signed with earlier secret keys (SECRET_KEY_FALLBACKS) are valid; links of people who have left are not. Use
    `allow_expired` only to send a new link to the person's own address.
    """
    payload = token.rpartition(".")[0]
    try:
        person_id, minute, record_id = (int(part, 16) for part in payload.split("."))
    except ValueError as error:
        raise BadLink from error
    if person_id > 2**62 or record_id > 2**62 or minute > 2**31:
        raise BadLink
    preference = Preference.objects.select_related("person").filter(person_id=person_id, person__is_active=True).first()
    # The signature is checked for unknown people too, so that the time of the reply does not show who has an account.
    link_key = preference.link_key if preference else "nobody"
    is_signed = is_current(purpose, token, link_key=link_key)
    if preference is None or not is_signed:
        raise BadLink
    made_at = _EPOCH + minute * _MINUTE
    if now - made_at > purpose.lifetime and not allow_expired:
        raise ExpiredLink
    return Link(person=preference.person, made_at=made_at, record_id=record_id)


def links_are_current(tokens: Iterable[str], link_key: str) -> bool:
    """Return True if the person's link key is still the one with which these tokens of an email were signed."""
    return any(is_current(Purpose.STOP, token, link_key=link_key) for token in tokens)


@lru_cache(maxsize=8)
def page_prefix(name: str) -> str:
    """Return the address of a page without the token at its end, for example `https://cg.example/digests/stop/`."""
    path = reverse(name, kwargs={"token": "T"}).removesuffix("T/")
    return f"{settings.SITE_ORIGIN}{path}"
