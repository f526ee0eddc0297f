"""Which addresses get no notices and digests.

After a restore an address may be known by the journal's hash alone.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from partnerships.kit import journal
from partnerships.kit.database import rows_planned_once
from partnerships.outbox.models import Suppression

#: In SQL: whether the address of a person `u` is suppressed. OFFSET 0 makes PostgreSQL look each person up by the
#: index: without it, it may read every suppressed address first.
SUPPRESSED = (
    "EXISTS (SELECT 1 FROM outbox_suppression s"
    " WHERE lower(s.address) = lower(u.email) AND s.released_at IS NULL OFFSET 0)"
)

_AMONG = """
SELECT lower(s.address) FROM outbox_suppression s
 WHERE lower(s.address) = ANY(%(addresses)s) AND s.released_at IS NULL
UNION ALL
SELECT s.address_hash FROM outbox_suppression s
 WHERE s.address_hash = ANY(%(hashes)s) AND s.address_hash <> '' AND s.released_at IS NULL
"""


def suppressed_among(addresses: Collection[str]) -> set[str]:
    """The addresses (in lower case) that are suppressed."""
    if not addresses:
        return set()
    hashed = {journal.address_hash(address): address for address in addresses}
    params = {"addresses": sorted(addresses), "hashes": list(hashed)}
    rows = rows_planned_once(_AMONG, params, generic_plan=True)
    return {hashed.get(one, one) for (one,) in rows}


def open_suppressions(address: str = "", *, address_hash: str = "") -> QuerySet[Suppression]:
    """Suppressions of this address: by itself and by its hash."""
    matching = Q(address_hash=address_hash or journal.address_hash(address))
    if address:
        matching |= Q(lower=address.strip().lower())
    return Suppression.objects.alias(lower=Lower("address")).filter(matching, released_at=None)


def is_suppressed(address: str = "", *, address_hash: str = "") -> bool:
    """Whether this address is suppressed."""
    return open_suppressions(address, address_hash=address_hash).exists()
