"""Keys of anonymous rounds, which are stored outside the database and its backups, and the answers sealed with them.

Each round has a file in SURVEY_KEYS_ROOT with a private key (X25519) and a secret for its tokens. Answers are sealed
with the public key (libsodium's sealed boxes), padded to one length. When the round closes, its answers are opened once
and the file is deleted, so that nobody can open the answers in a backup afterwards.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from partnerships.kit.late import late
from partnerships.surveys.counting import Answer

if TYPE_CHECKING:
    from nacl import exceptions as nacl_exceptions
    from nacl import public as nacl_public
else:
    nacl_public, nacl_exceptions = late("nacl.public"), late("nacl.exceptions")

#: The length in bytes to which every answer is padded before sealing, so that the length reveals nothing. It is more
#: than the longest answer needs.
LENGTH = 16_384


class KeyMissing(Exception):
    """Raised if this machine does not have the round's key."""


class AnswerTooLong(Exception):
    """Raised if an answer does not fit into `LENGTH` bytes."""


def _key_path(round_key: str) -> Path:
    return Path(settings.SURVEY_KEYS_ROOT) / f"{round_key}.json"


def make_key(round_key: str) -> bytes:
    """Create the key of a round, store it in a file, and return its public half."""
    private = nacl_public.PrivateKey.generate()
    path = _key_path(round_key)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps({"private": bytes(private).hex(), "tokens": secrets.token_hex(32)})
    # Only this user can read the file. It is written to the disk before the round opens, because nobody could open an
    # answer without the key.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return bytes(private.public_key)


def has_key(round_key: str) -> bool:
    """Return whether this machine has the round's key."""
    return _key_path(round_key).exists()


def key_names() -> list[str]:
    """Return the names of all keys on this machine."""
    return sorted(path.stem for path in Path(settings.SURVEY_KEYS_ROOT).glob("*.json"))


def destroy_key(round_key: str) -> None:
    """Delete the round's key, if this machine has it."""
    _key_path(round_key).unlink(missing_ok=True)


def _read_key_file(round_key: str) -> Mapping[str, str]:
    """Return the private key and the secret for tokens. Raises `KeyMissing`."""
    try:
        content: Mapping[str, str] = json.loads(_key_path(round_key).read_text())
    except OSError as error:
        raise KeyMissing(f"The key of survey {round_key} is not in SURVEY_KEYS_ROOT.") from error
    return content


def token_of(round_key: str, person_id: int) -> str:
    """Return the token in a person's invitation and reminders. Raises `KeyMissing`.

    The database does not show whose token it is. Only a person with the key file can find that out.
    """
    return tokens_of(round_key, [person_id])[person_id]


def tokens_of(round_key: str, person_ids: list[int]) -> dict[int, str]:
    """Return the tokens of several people, by person. Raises `KeyMissing`."""
    secret = bytes.fromhex(_read_key_file(round_key)["tokens"])
    return {person: hmac.digest(secret, str(person).encode(), sha256).hex() for person in person_ids}


def token_hash(token: str) -> str:
    """Return the hash of a token. The database stores only this hash."""
    return sha256(token.encode()).hexdigest()


def seal_answer(answer: Answer, public_key: bytes) -> bytes:
    """Encrypt an answer so that only the round's private key opens it. Raises `AnswerTooLong`."""
    payload: dict[str, Any] = {
        "group": answer.group,
        "scores": dict(answer.scores),
        "expects": list(answer.expects),
        "comments": dict(answer.comments),
    }
    text = json.dumps(payload, ensure_ascii=False).encode()
    if len(text) > LENGTH:
        raise AnswerTooLong
    sealed: bytes = nacl_public.SealedBox(nacl_public.PublicKey(public_key)).encrypt(text.ljust(LENGTH))
    return sealed


def open_answers(round_key: str, boxes: list[bytes]) -> list[Answer]:
    """Decrypt the answers of a round. Raises `KeyMissing`, or `ValueError` for an answer of another round."""
    opener = nacl_public.SealedBox(nacl_public.PrivateKey(bytes.fromhex(_read_key_file(round_key)["private"])))
    try:
        return [Answer(**json.loads(opener.decrypt(bytes(box)))) for box in boxes]
    except nacl_exceptions.CryptoError as error:
        raise ValueError("An answer was sealed with another key.") from error
