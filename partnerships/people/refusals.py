"""Store refusals of digests after the person was erased or has changed the address.

Only a keyed hash of the address is stored: HMAC-SHA256 with the first of ADDRESS_HASH_KEYS or, if there are none, of
SECRET_KEY and SECRET_KEY_FALLBACKS. A look-up tries all keys, so that a key can be changed (docs/privacy.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

from django.conf import settings
from django.utils.crypto import salted_hmac

from partnerships.kit import journal
from partnerships.outbox.queries.suppressions import suppressed_among
from partnerships.people.models import RefusedAddress, User

#: The kind of journal line about a refused address that was given up, or that may receive questions again.
KEPT_REFUSAL = "refusal kept"
#: A function that returns True if a person has refused the emails that a room sends.
Hook = Callable[[User], bool]
_hooks: list[Hook] = []


def register_refusal(hook: Hook) -> None:
    """Register a room's function that returns True if a person has refused the room's emails."""
    _hooks.append(hook)


def address_hashes(address: str) -> list[str]:
    """Return the hashes of an address, one for each key in order. Upper and lower case have the same hash."""
    keys = settings.ADDRESS_HASH_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    normalised = address.strip().lower()
    return [
        salted_hmac("partnerships.people.refusals", normalised, secret=key, algorithm="sha256").hexdigest()
        for key in keys
    ]


def store_refusal(*, person: User, now: dt.datetime) -> str:
    """Store the address's hash if the person, who is being erased, refused digests; return the hash or ""."""
    if not any(hook(person) for hook in _hooks):
        return ""
    address_hash = address_hashes(person.email)[0]
    store_hashes([address_hash], now=now)
    return address_hash


def store_refusal_of_address(address: str, *, now: dt.datetime) -> None:
    """Store the hash of a refused address whose person now has another address.

    The journal also contains the hash, so that a restore does not lose it.
    """
    refusal_hash = address_hashes(address)[0]
    store_hashes([refusal_hash], now=now)
    journal.note(KEPT_REFUSAL, now=now, address=journal.address_hash(address), refusal=refusal_hash, undone=False)


def store_hashes(hashes: Collection[str], *, now: dt.datetime) -> int:
    """Store hashes of refused addresses, for example from the journal, and return the number of new hashes."""
    existing_count = RefusedAddress.objects.filter(address_hash__in=hashes).count()
    rows = [RefusedAddress(address_hash=address_hash, kept_since=now) for address_hash in hashes]
    RefusedAddress.objects.bulk_create(rows, ignore_conflicts=True)
    return len(set(hashes)) - existing_count


def has_refused(address: str) -> bool:
    """Return True if a person who is erased, or now has another address, refused digests at this address."""
    return RefusedAddress.objects.filter(address_hash__in=address_hashes(address)).exists()


def people_who_refused(people: Collection[User]) -> list[User]:
    """Return the people who must not be emailed unless they ask for it.

    Their address is refused (`has_refused`) or suppressed, or they have no account and refused the emails of a room.
    """
    hashes_by_person = {person.pk: set(address_hashes(person.email)) for person in people}
    all_hashes: set[str] = set().union(*hashes_by_person.values())
    refused_rows = RefusedAddress.objects.filter(address_hash__in=all_hashes)
    refused_hashes = set(refused_rows.values_list("address_hash", flat=True))
    suppressed_addresses = suppressed_among({person.email.lower() for person in people})

    def must_not_be_emailed(person: User) -> bool:
        return (
            not refused_hashes.isdisjoint(hashes_by_person[person.pk])
            or person.email.lower() in suppressed_addresses
            or (person.is_stakeholder and any(hook(person) for hook in _hooks))
        )

    return [person for person in people if must_not_be_emailed(person)]


def forget_refusal(address: str, *, now: dt.datetime) -> bool:
    """Allow questions to an address again because its owner asks for it; return True if it had been refused."""
    deleted_count, _ = RefusedAddress.objects.filter(address_hash__in=address_hashes(address)).delete()
    was_refused = deleted_count > 0
    if was_refused:
        journal.note(KEPT_REFUSAL, now=now, address=journal.address_hash(address), refusal="", undone=True)
    return was_refused
