"""Stores refusals of digests after their person is erased or has changed the address.

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

#: The kind of journal line about a refused address that its person no longer has, or that may get questions again.
KEPT_REFUSAL = "refusal kept"
#: Returns whether a person has refused the emails that a room sends.
Hook = Callable[[User], bool]
_hooks: list[Hook] = []


def register_refusal(hook: Hook) -> None:
    """Register a room's function that says whether a person has refused its emails."""
    _hooks.append(hook)


def hashes_of(address: str) -> list[str]:
    """Return the hashes of an address, one for each key in order; the same for upper and lower case."""
    keys = settings.ADDRESS_HASH_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    normalised = address.strip().lower()
    return [
        salted_hmac("partnerships.people.refusals", normalised, secret=key, algorithm="sha256").hexdigest()
        for key in keys
    ]


def keep_refusal(*, person: User, now: dt.datetime) -> str:
    """Store the hash of the address of a person being erased, if they refused digests; return the hash or ""."""
    if not any(hook(person) for hook in _hooks):
        return ""
    address_hash = hashes_of(person.email)[0]
    keep_hashes([address_hash], now=now)
    return address_hash


def keep_refusal_of(address: str, *, now: dt.datetime) -> None:
    """Store the hash of a refused address whose person has another address now.

    The journal has it too, so that a restore does not lose it.
    """
    refusal_hash = hashes_of(address)[0]
    keep_hashes([refusal_hash], now=now)
    journal.note(KEPT_REFUSAL, now=now, address=journal.address_hash(address), refusal=refusal_hash, undone=False)


def keep_hashes(hashes: Collection[str], *, now: dt.datetime) -> int:
    """Store hashes of refused addresses, for example from the journal, and return how many are new."""
    existing = RefusedAddress.objects.filter(address_hash__in=hashes).count()
    rows = [RefusedAddress(address_hash=address_hash, kept_since=now) for address_hash in hashes]
    RefusedAddress.objects.bulk_create(rows, ignore_conflicts=True)
    return len(set(hashes)) - existing


def has_refused(address: str) -> bool:
    """Whether a person who is erased or has another address now refused at this one."""
    return RefusedAddress.objects.filter(address_hash__in=hashes_of(address)).exists()


def refused_among(people: Collection[User]) -> list[User]:
    """Return the people who must not be emailed unless they ask for it.

    Their address is refused (`has_refused`) or suppressed, or they have no account and refused what a room sends.
    """
    hashes_by_person = {person.pk: set(hashes_of(person.email)) for person in people}
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
    """Allow questions to an address again because its owner asks for it; return whether it was refused before."""
    deleted, _ = RefusedAddress.objects.filter(address_hash__in=hashes_of(address)).delete()
    was_refused = deleted > 0
    if was_refused:
        journal.note(KEPT_REFUSAL, now=now, address=journal.address_hash(address), refusal="", undone=True)
    return was_refused
