"""Message-IDs (RFC 5322, 3.6.4): each holds the number of its letter, by which it is found again without an index.

Nobody can guess another's from their own, for a report about it could silence them; and none comes twice, not even
after a backup was restored that does not know which numbers were used since.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from django.db.models import Q

from partnerships.digests.links import site_host

_NUMBER = re.compile(r"<([0-9]{1,18})\.")


def make(numbers: Iterable[int]) -> list[str]:
    """New Message-IDs for the deliveries with these numbers."""
    host = site_host()
    return [f"<{number}.{secrets.token_hex(16)}@{host}>" for number in numbers]


def has(message_id: str) -> Q:
    """Deliveries with this Message-ID: one, or none. It is looked up by the number in it; for one without a number, as
    letters had them before, the ledger is read."""
    if not message_id:
        return Q(pk=None)
    found = _NUMBER.match(message_id)
    return Q(pk=found[1], message_id=message_id) if found else Q(message_id=message_id)
