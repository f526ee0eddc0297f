"""Message-IDs (RFC 5322, 3.6.4), which contain the email's number.

So an email is found by its primary key. They cannot be guessed: a forged report could suppress an address. They are
unique even after a restore from a backup that lacks some used numbers.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from partnerships.outbox.models import Email, LegacyMessageId

_NUMBER = re.compile(r"<([0-9]{1,18})\.")


def site_host() -> str:
    """The host of this instance, used in Message-IDs and List-Ids."""
    return _host_of(settings.SITE_ORIGIN)


@lru_cache(maxsize=8)
def _host_of(origin: str) -> str:
    return urlsplit(origin).hostname or "localhost"


def make(numbers: Iterable[int]) -> list[str]:
    """New Message-IDs for emails with these numbers."""
    host = site_host()
    return [f"<{number}.{secrets.token_hex(16)}@{host}>" for number in numbers]


def number_in(message_id: str) -> int | None:
    """The number in a Message-ID of ours, not checked; None in older ones."""
    match = _NUMBER.match(message_id)
    return int(match[1]) if match else None


def find(message_id: str) -> int | None:
    """The number of the email with this Message-ID, or None.

    Needs at most two look-ups by key.
    """
    if not message_id:
        return None
    if match := _NUMBER.match(message_id):
        return Email.objects.filter(pk=match[1], message_id=message_id).values_list("pk", flat=True).first()
    legacy = LegacyMessageId.objects.filter(message_id=message_id)
    return legacy.values_list("email_id", flat=True).first()
