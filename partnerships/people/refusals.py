"""Remembers who refused digests after their address is erased, or after they changed it.

Keeps a keyed hash, HMAC-SHA256 under the first of ADDRESS_HASH_KEYS, so that nobody asks the address again. All keys
are compared, so that a key can be changed. Without any, SECRET_KEY and SECRET_KEY_FALLBACKS are used
(docs/privacy.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

from django.conf import settings
from django.utils.crypto import salted_hmac

from partnerships.kit import journal
from partnerships.outbox.queries.suppressions import suppressed_among
from partnerships.people.models import RefusedAddress, User

#: The journal's line about a refused address that its person gave up, or whose owner allows questions again.
KEPT_REFUSAL = "refusal kept"
#: Whether a person has refused what a room sends.
Hook = Callable[[User], bool]
_hooks: list[Hook] = []


def register_refusal(hook: Hook) -> None:
    """Register how a room knows that somebody has refused."""
    _hooks.append(hook)


def hashes_of(address: str) -> list[str]:
    """The keyed hashes of an address, one for each key, in their order.

    Ignores letter case.
    """
    keys = settings.ADDRESS_HASH_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    plain = address.strip().lower()
    return [
        salted_hmac("partnerships.people.refusals", plain, secret=key, algorithm="sha256").hexdigest() for key in keys
    ]


def keep_refusal(*, person: User, now: dt.datetime) -> str:
    """Keep the address hash of a person being erased, if they refused. Returns the hash, or an empty text."""
    if not any(hook(person) for hook in _hooks):
        return ""
    kept = hashes_of(person.email)[0]
    keep_hashes([kept], now=now)
    return kept


def keep_refusal_of(address: str, *, now: dt.datetime) -> None:
    """Keep the hash of an address whose person has another one now, and had refused.

    Journalled, so that a restore keeps it too.
    """
    kept = hashes_of(address)[0]
    keep_hashes([kept], now=now)
    journal.note(KEPT_REFUSAL, now=now, address=journal.address_hash(address), refusal=kept, undone=False)


def keep_hashes(hashes: Collection[str], *, now: dt.datetime) -> int:
    """Keep hashes of refused addresses, for example from the journal; how many were not kept before."""
    before = RefusedAddress.objects.filter(address_hash__in=hashes).count()
    rows = [RefusedAddress(address_hash=hash_, kept_since=now) for hash_ in hashes]
    RefusedAddress.objects.bulk_create(rows, ignore_conflicts=True)
    return len(set(hashes)) - before


def has_refused(address: str) -> bool:
    """Whether somebody refused at this address who is erased or has another one now."""
    return RefusedAddress.objects.filter(address_hash__in=hashes_of(address)).exists()


def refused_among(people: Collection[User]) -> list[User]:
    """The people who must not be emailed unasked.

    Their address is refused (`has_refused`), or emails to it come back; or they have no account, and refused what a
    room sends.
    """
    hashes = {person.pk: hashes_of(person.email) for person in people}
    refused_addresses = RefusedAddress.objects.filter(
        address_hash__in=[one for hash_ in hashes.values() for one in hash_]
    )
    known = set(refused_addresses.values_list("address_hash", flat=True))
    suppressed = suppressed_among({person.email.lower() for person in people})
    return [
        person
        for person in people
        if known.intersection(hashes[person.pk])
        or person.email.lower() in suppressed
        or (person.is_stakeholder and any(hook(person) for hook in _hooks))
    ]


def forget_refusal(address: str, *, now: dt.datetime) -> bool:
    """Let an address be asked again, at its owner's wish. Returns whether it was refused before."""
    was_refused = bool(RefusedAddress.objects.filter(address_hash__in=hashes_of(address)).delete()[0])
    if was_refused:
        journal.note(KEPT_REFUSAL, now=now, address=journal.address_hash(address), refusal="", undone=True)
    return was_refused
