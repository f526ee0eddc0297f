"""Finds suppressed addresses, which get no notices and digests.

After a restore, an address may be known only by its hash in the journal.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from partnerships.kit import journal
from partnerships.kit.database import rows_planned_once
from partnerships.outbox.models import Suppression

#: SQL condition that the address of a person `u` is suppressed. Because of OFFSET 0, PostgreSQL looks up each person
#: with the index. Without it, PostgreSQL may read all suppressed addresses first.
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
    """Return the addresses among these that are suppressed. All must be in lower case."""
    if not addresses:
        return set()
    address_by_hash = {journal.address_hash(address): address for address in addresses}
    params = {"addresses": sorted(addresses), "hashes": list(address_by_hash)}
    rows = rows_planned_once(_AMONG, params, generic_plan=True)
    return {address_by_hash.get(address_or_hash, address_or_hash) for (address_or_hash,) in rows}


def open_suppressions(address: str = "", *, address_hash: str = "") -> QuerySet[Suppression]:
    """Return the suppressions of an address that are not released, found by the address or by its hash."""
    is_same_address = Q(address_hash=address_hash or journal.address_hash(address))
    if address:
        is_same_address |= Q(lower_address=address.strip().lower())
    return Suppression.objects.alias(lower_address=Lower("address")).filter(is_same_address, released_at=None)


def is_suppressed(address: str = "", *, address_hash: str = "") -> bool:
    """Return True if this address is suppressed."""
    return open_suppressions(address, address_hash=address_hash).exists()
