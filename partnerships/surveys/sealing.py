"""The key of an anonymous round, outside the database and its backups.

Sealed answers; single-use tokens.

Each round has a file in SURVEY_KEYS_ROOT with a private key (X25519) and a secret for its tokens. Answers are sealed
with the public key (libsodium's sealed boxes), padded to one length. When the round closes, its answers are opened once
and the file is deleted, so that no backup's answers can be opened afterwards.
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

#: Every sealed answer has this many bytes before sealing: more than the longest answer.
LENGTH = 16_384


class KeyMissing(Exception):
    """This machine does not have the round's key."""


class AnswerTooLong(Exception):
    """The comments of an answer are longer than fits."""


def _file(round_key: str) -> Path:
    return Path(settings.SURVEY_KEYS_ROOT) / f"{round_key}.json"


def make_key(round_key: str) -> bytes:
    """Make the key of a round and return its public half."""
    private = nacl_public.PrivateKey.generate()
    path = _file(round_key)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_file = json.dumps({"private": bytes(private).hex(), "tokens": secrets.token_hex(32)})
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as opened:
        opened.write(private_file)
        opened.flush()
        os.fsync(opened.fileno())
    return bytes(private.public_key)


def has_key(round_key: str) -> bool:
    """Whether this machine has the round's key."""
    return _file(round_key).exists()


def keys_here() -> list[str]:
    """The names of all keys on this machine."""
    return sorted(path.stem for path in Path(settings.SURVEY_KEYS_ROOT).glob("*.json"))


def destroy_key(round_key: str) -> None:
    """Delete the round's key, if it is here."""
    _file(round_key).unlink(missing_ok=True)


def _kept(round_key: str) -> Mapping[str, str]:
    try:
        private_data: Mapping[str, str] = json.loads(_file(round_key).read_text())
    except OSError as error:
        raise KeyMissing(f"The key of survey {round_key} is not in SURVEY_KEYS_ROOT.") from error
    return private_data


def token_of(round_key: str, person: int) -> str:
    """The token in a person's invitation and reminders.

    Only the key file says whose it is. Raises `KeyMissing`.
    """
    return tokens_of(round_key, [person])[person]


def tokens_of(round_key: str, people: list[int]) -> dict[int, str]:
    """Like `token_of`, for several people."""
    secret = bytes.fromhex(_kept(round_key)["tokens"])
    return {person: hmac.digest(secret, str(person).encode(), sha256).hex() for person in people}


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return sha256(token.encode()).hexdigest()


def seal(answer: Answer, public_key: bytes) -> bytes:
    """The answer, which only the round's private key opens. Raises `AnswerTooLong`."""
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


def open_all(round_key: str, boxes: list[bytes]) -> list[Answer]:
    """The answers in these boxes. Raises `KeyMissing`, and `ValueError` for a box of another round."""
    opener = nacl_public.SealedBox(nacl_public.PrivateKey(bytes.fromhex(_kept(round_key)["private"])))
    try:
        return [Answer(**json.loads(opener.decrypt(bytes(box)))) for box in boxes]
    except nacl_exceptions.CryptoError as error:
        raise ValueError("An answer was sealed with another key.") from error
