"""Message-IDs (RFC 5322, 3.6.4), made from the number of a letter, by which they are found again without an index.

Nobody can guess another's from their own, for a report about it could silence them: each is signed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.db.models import Q
from django.utils.crypto import salted_hmac

from partnerships.digests.links import site_host

_SIGNATURE = 16  # bytes: 128 bits
_NUMBER = re.compile(r"<([0-9]{1,18})\.")


@lru_cache(maxsize=8)
def _secret(secret: str) -> bytes:
    return salted_hmac("partnerships.digests.message_ids", "key", secret=secret, algorithm="sha256").digest()


def make(numbers: Iterable[int]) -> list[str]:
    """The Message-IDs of the deliveries with these numbers; the same each time, until the secret key or the host
    changes."""
    secret, host = _secret(settings.SECRET_KEY), site_host()
    signatures = ((number, hashlib.blake2b(b"%d" % number, key=secret, digest_size=_SIGNATURE)) for number in numbers)
    return [f"<{number}.{signature.hexdigest()}@{host}>" for number, signature in signatures]


def has(message_id: str) -> Q:
    """Deliveries with this Message-ID: one, or none; looked up by the number in it, and compared as a whole."""
    found = _NUMBER.match(message_id)
    return Q(pk=found[1], message_id=message_id) if found else Q(pk=None)
