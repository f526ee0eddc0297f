"""Which addresses get no notices and no digests."""

from __future__ import annotations

from collections.abc import Collection

from partnerships.kit.database import rows_planned_once
from partnerships.outbox.models import Suppression

#: In SQL: whether nothing is sent to the address of a person `u`. OFFSET 0 lets PostgreSQL look up each person by the
#: index: without it, it may read every suppressed address first.
SUPPRESSED = (
    "EXISTS (SELECT 1 FROM outbox_suppression s"
    " WHERE lower(s.address) = lower(u.email) AND s.released_at IS NULL OFFSET 0)"
)

_AMONG = """
SELECT lower(s.address) FROM outbox_suppression s WHERE lower(s.address) = ANY(%s) AND s.released_at IS NULL
"""


def suppressed_among(addresses: Collection[str]) -> set[str]:
    """Those of these addresses (in lower case) to which nothing is sent."""
    if not addresses:
        return set()
    return {one for (one,) in rows_planned_once(_AMONG, [sorted(addresses)], whatever_is_asked=True)}


def is_suppressed(address: str) -> bool:
    """Whether nothing is sent to this address."""
    return Suppression.objects.filter(address__iexact=address, released_at=None).exists()
