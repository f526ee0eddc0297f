"""Encrypt the secrets of second factors, so that a database dump reveals none of them.

Each key is derived (HKDF, RFC 5869) from a secret in SECOND_FACTOR_KEYS or, if that is not set, in SECRET_KEY and
SECRET_KEY_FALLBACKS. The first key encrypts and all keys decrypt, so that a key can be changed (docs/deploy.md).
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

#: The first characters of every Fernet token until 2242: version 0x80, then the high bytes of the time.
#: No unencrypted secret of an authenticator app starts like this.
_FERNET_PREFIX = "gAAAAA"


class UnableToDecrypt(Exception):
    """Raised if no key decrypts the secret.

    Its key was removed from the settings before the secret was encrypted again.
    """


@lru_cache(maxsize=8)
def _fernet(secrets: tuple[str, ...]) -> fernet.MultiFernet:
    return fernet.MultiFernet([fernet.Fernet(base64.urlsafe_b64encode(_key(secret))) for secret in secrets])


def _key(secret: str) -> bytes:
    """Return the key derived from a secret."""
    derivation = hkdf.HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"common ground: second factors")
    return derivation.derive(secret.encode())


def _keys() -> fernet.MultiFernet:
    secrets = settings.SECOND_FACTOR_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return _fernet(tuple(secrets))


def is_encrypted(stored: str) -> bool:
    """Return True if the stored text is encrypted. Texts from before encryption was introduced are not."""
    return stored.startswith(_FERNET_PREFIX)


def encrypt(text: str) -> str:
    """Return the secret encrypted with the first key."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """Return the secret in plain text; a text that was stored unencrypted is returned unchanged.

    Raises `UnableToDecrypt`.
    """
    if not is_encrypted(stored):
        return stored
    try:
        return _keys().decrypt(stored.encode()).decode()
    except fernet.InvalidToken as error:
        raise UnableToDecrypt("None of SECOND_FACTOR_KEYS decrypts this secret.") from error


@transaction.atomic
def reencrypt_all() -> int:
    """Encrypt all secrets again with the first key, and return the number of second factors.

    Raises `UnableToDecrypt`.
    """
    authenticators = Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk")
    for authenticator in authenticators:
        data = authenticator.data
        for name in ("secret", "seed"):
            if name in data:
                data[name] = encrypt(decrypt(data[name]))
        if "migrated_codes" in data:
            data["migrated_codes"] = [encrypt(decrypt(code)) for code in data["migrated_codes"]]
        authenticator.save(update_fields=["data"])
    return len(authenticators)
