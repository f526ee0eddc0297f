"""Who said no, remembered after their address is erased: by a keyed hash, so that nobody asks that address again.

The hash is HMAC-SHA256 under the first of ADDRESS_HASH_KEYS; all of them are compared, so that a key can be changed.
Without any, SECRET_KEY and SECRET_KEY_FALLBACKS serve (docs/privacy.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from django.conf import settings
from django.utils.crypto import salted_hmac

from partnerships.people.models import RefusedAddress, User

#: Whether a person has said no to what a room sends.
Hook = Callable[[User], bool]
_hooks: list[Hook] = []


def register_refusal(hook: Hook) -> None:
    """Say how a room knows that somebody has said no."""
    _hooks.append(hook)


def hashes_of(address: str) -> list[str]:
    """The keyed hashes of an address, whatever its letter case, one for each key; the first key's first."""
    keys = settings.ADDRESS_HASH_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    plain = address.strip().lower()
    return [
        salted_hmac("partnerships.people.refusals", plain, secret=key, algorithm="sha256").hexdigest() for key in keys
    ]


def keep_refusal(*, person: User, now: dt.datetime) -> str:
    """Keep the hash of the address of a person who is being erased, if they have said no; the hash, or empty."""
    if not any(hook(person) for hook in _hooks):
        return ""
    kept = hashes_of(person.email)[0]
    keep_hashes([kept], now=now)
    return kept


def keep_hashes(hashes: Iterable[str], *, now: dt.datetime) -> None:
    """Keep hashes of refused addresses, such as those that the journal held over a restore."""
    rows = [RefusedAddress(address_hash=one, kept_since=now) for one in hashes]
    RefusedAddress.objects.bulk_create(rows, ignore_conflicts=True)


def has_refused(address: str) -> bool:
    """Whether somebody with this address said no before they were erased."""
    return RefusedAddress.objects.filter(address_hash__in=hashes_of(address)).exists()


def forget_refusal(address: str) -> bool:
    """Let an address be asked again, because its owner wants it; whether it was refused."""
    return bool(RefusedAddress.objects.filter(address_hash__in=hashes_of(address)).delete()[0])
