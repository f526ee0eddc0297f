"""Addresses for replies to one email: `replies+r-TOKEN@…`.

A token contains the id of the email and a signature of 128 bits, in lower case, because some mail servers change the
case of an address. `key` is a secret of the recipient: a new key makes earlier addresses invalid.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import salted_hmac

#: The sentence in emails to which people can reply.
CAN_REPLY = "You can reply to this email."

_SIGNATURE_LENGTH = 26  # characters of base32 with 5 bits each, which are 130 bits
_DIGEST_BYTES = 20  # enough for 32 characters of base32, so without padding
#: The part of an address after the plus, such as `r-1f4.`, with its use and the hexadecimal id of its record, and then
#: the signature.
_TOKEN = re.compile(r"\+([a-z])-([0-9a-f]{1,16})\.([a-z2-7]{26})@", re.IGNORECASE)
REPLY, FORWARD = "r", "p"


@lru_cache(maxsize=8)
def _signing_key(secret: str) -> bytes:
    return salted_hmac("partnerships.outbox.reply_addresses", "key", secret=secret, algorithm="sha256").digest()


def _sign(secret: str, use: str, record_id: int, key: str) -> str:
    digest = hmac.digest(_signing_key(secret), f"{use}:{record_id:x}:{key}".encode(), hashlib.sha256)
    return base64.b32encode(digest[:_DIGEST_BYTES])[:_SIGNATURE_LENGTH].decode().lower()


def make_address(use: str, record_id: int, *, key: str) -> str:
    """Return the address for one use of one record, or "" if no mailbox is set up for incoming email."""
    mailbox, at, domain = settings.EMAIL_REPLIES.partition("@")
    if not at:
        return ""
    return f"{mailbox}+{use}-{record_id:x}.{_sign(settings.SECRET_KEY, use, record_id, key)}@{domain}"


def reply_address(email_id: int, person_id: int, *, key: str = "") -> str:
    """Return the Reply-To address of an email to a person."""
    return make_address(REPLY, email_id, key=f"{person_id:x}:{key}")


def reply_header(address: str) -> str:
    """Return the Reply-To line, or "" without an address."""
    return f"Reply-To: {address}\r\n" if address else ""


class AddressToken(NamedTuple):
    """The use, the record and the signature in one of our addresses. The signature has not been checked."""

    use: str
    record_id: int
    signature: str


def tokens_in(addresses: Iterable[str]) -> list[AddressToken]:
    """Return the token of each address that looks like one of our addresses."""
    return [
        AddressToken(use=match[1].lower(), record_id=int(match[2], 16), signature=match[3].lower())
        for address in addresses
        for match in _TOKEN.finditer(address)
    ]


def is_valid(use: str, record_id: int, signature: str, *, key: str) -> bool:
    """Return True if this site made the signature, with the present secret key or an earlier one."""
    return any(
        hmac.compare_digest(_sign(secret, use, record_id, key), signature)
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


def is_reply_to(email_id: int, person_id: int, signature: str, *, key: str = "") -> bool:
    """Return True if the signature belongs to this email and its recipient."""
    return is_valid(REPLY, email_id, signature, key=f"{person_id:x}:{key}")
