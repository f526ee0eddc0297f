"""Message-IDs (RFC 5322, 3.6.4), which contain the id of the email and a random text.

* By the id, the email that a report is about is found with one look-up by primary key.
* The random text cannot be guessed. Without it, a forged report could suppress an address.
* The random text also makes Message-IDs unique after a restore, because ids from after the backup are then used again.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from partnerships.outbox.models import Email, LegacyMessageId

_EMAIL_ID = re.compile(r"<([0-9]{1,18})\.")


def site_host() -> str:
    """Return the host name of this site, used in Message-IDs and List-Ids."""
    return _host_of(settings.SITE_ORIGIN)


@lru_cache(maxsize=8)
def _host_of(origin: str) -> str:
    return urlsplit(origin).hostname or "localhost"


def make(email_ids: Iterable[int]) -> list[str]:
    """Return new Message-IDs for emails with these ids."""
    host = site_host()
    return [f"<{email_id}.{secrets.token_hex(16)}@{host}>" for email_id in email_ids]


def id_in(message_id: str) -> int | None:
    """Return the email id in a Message-ID without checking it, or None for an old Message-ID without an id."""
    match = _EMAIL_ID.match(message_id)
    return int(match[1]) if match else None


def find(message_id: str) -> int | None:
    """Return the id of the email with this Message-ID, or None. This is a single look-up by key."""
    if not message_id:
        return None
    match = _EMAIL_ID.match(message_id)
    if match is not None:
        return Email.objects.filter(pk=match[1], message_id=message_id).values_list("pk", flat=True).first()
    legacy_ids = LegacyMessageId.objects.filter(message_id=message_id)
    return legacy_ids.values_list("email_id", flat=True).first()
