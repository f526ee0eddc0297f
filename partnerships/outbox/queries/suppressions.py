"""Which addresses get no notices and digests.

After a restore an address may be known by its hash alone: then a placeholder address that cannot exist is stored.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet
from django.db.models.functions import Lower

from partnerships.kit import journal
from partnerships.kit.database import rows_planned_once
from partnerships.outbox.models import Suppression

#: RFC 2606: no name below it exists.
_BY_HASH = "@suppressed.invalid"

#: In SQL: whether the address of a person `u` is suppressed. OFFSET 0 makes PostgreSQL look each person up by the
#: index: without it, it may read every suppressed address first.
SUPPRESSED = (
    "EXISTS (SELECT 1 FROM outbox_suppression s"
    " WHERE lower(s.address) = lower(u.email) AND s.released_at IS NULL OFFSET 0)"
)

_AMONG = """
SELECT lower(s.address) FROM outbox_suppression s WHERE lower(s.address) = ANY(%s) AND s.released_at IS NULL
"""


def suppressed_among(addresses: Collection[str]) -> set[str]:
    """Those of these addresses (in lower case) that are suppressed."""
    if not addresses:
        return set()
    hashed = {standing_for(journal.address_hash(address)): address for address in addresses}
    found = rows_planned_once(_AMONG, [sorted([*addresses, *hashed])], whatever_is_asked=True)
    return {hashed.get(one, one) for (one,) in found}


def standing_for(address_hash: str) -> str:
    """The placeholder for an address known only by the journal's hash."""
    return f"{address_hash}{_BY_HASH}"


def hash_in_journal(address: str) -> str:
    """The journal's hash of an address or placeholder."""
    known = address.lower().removesuffix(_BY_HASH)
    return known if known != address.lower() else journal.address_hash(address)


def open_suppressions(address: str) -> QuerySet[Suppression]:
    """Suppressions of this address: by itself and by its hash."""
    forms = [address.strip().lower(), standing_for(hash_in_journal(address))]
    rows = Suppression.objects.alias(lower=Lower("address"))
    return rows.filter(lower__in=forms, released_at=None)


def is_suppressed(address: str) -> bool:
    """Whether this address is suppressed."""
    return open_suppressions(address).exists()
