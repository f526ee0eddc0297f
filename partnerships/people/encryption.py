"""Secrets of second factors as the database keeps them: encrypted, so that a dump of it opens no account.

Each key is made (HKDF, RFC 5869) from a secret in SECOND_FACTOR_KEYS, or in SECRET_KEY and SECRET_KEY_FALLBACKS where
that is unset. The first encrypts; all decrypt, so that a key can be changed: see docs/deploy.md.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction

from partnerships.kit.late import late

if TYPE_CHECKING:
    from cryptography import fernet
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf import hkdf
else:
    fernet = late("cryptography.fernet")
    hashes, hkdf = late("cryptography.hazmat.primitives.hashes"), late("cryptography.hazmat.primitives.kdf.hkdf")

#: How every Fernet token begins: its version, 0x80, and the years until 2242. No secret of an app begins so.
_BEGINS = "gAAAAA"


class UnableToDecrypt(Exception):
    """None of the keys fits: one was taken out of the settings before what it encrypted was encrypted anew."""


@lru_cache(maxsize=8)
def _fernet(secrets: tuple[str, ...]) -> fernet.MultiFernet:
    return fernet.MultiFernet([fernet.Fernet(base64.urlsafe_b64encode(_key(secret))) for secret in secrets])


def _key(secret: str) -> bytes:
    made = hkdf.HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"common ground: second factors")
    return made.derive(secret.encode())


def _keys() -> fernet.MultiFernet:
    chosen = settings.SECOND_FACTOR_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return _fernet(tuple(chosen))


def is_encrypted(kept: str) -> bool:
    """Whether a kept text is one of ours, rather than one from before there was encryption."""
    return kept.startswith(_BEGINS)


def encrypt(text: str) -> str:
    """What the database keeps of a secret."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(kept: str) -> str:
    """The secret; one kept before there was encryption is returned as it is. Raises `UnableToDecrypt`."""
    if not is_encrypted(kept):
        return kept
    try:
        return _keys().decrypt(kept.encode()).decode()
    except fernet.InvalidToken as error:
        raise UnableToDecrypt("No key of SECOND_FACTOR_KEYS fits.") from error


@transaction.atomic
def encrypt_all_anew() -> int:
    """Put everybody's secrets under the first key; how many people's rows those were. Raises `UnableToDecrypt`."""
    rows = Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk")
    for row in rows:
        for name in ("secret", "seed"):
            if name in row.data:
                row.data[name] = encrypt(decrypt(row.data[name]))
        if "migrated_codes" in row.data:
            row.data["migrated_codes"] = [encrypt(decrypt(code)) for code in row.data["migrated_codes"]]
        row.save(update_fields=["data"])
    return len(rows)
