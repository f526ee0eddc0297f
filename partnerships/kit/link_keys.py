"""Keys in signed links, each computed from the previous key with SECRET_KEY.

A new key makes earlier links invalid. A restored database has an old key, from which the newest key can be computed. So
links sent since the backup work again, although the journal contains only a hash of the newest key.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.conf import settings

from partnerships.kit import journal
from partnerships.kit.journal import RedoResult, identity, redo_each

Row = TypeVar("Row")

#: At most this many later keys are tried for each SECRET_KEY, because nobody renews links so often between two backups.
MAX_STEPS = 50


class UnableToFindKey(Exception):
    """Raised if the newest key cannot be computed, because SECRET_KEY was changed without a fallback."""

    def __init__(self) -> None:
        super().__init__("the links no longer work, including those sent since the backup, so ask the person again")


def next_key(key: str) -> str:
    """Return the key that follows this one."""
    return _next(key, settings.SECRET_KEY)


def end_links(signatory: Any, *, line: str, same: str, now: dt.datetime) -> None:
    """Make all links sent to a signatory invalid, and add a line of the kind `line` to the journal.

    `same` is the signatory's hash in the journal (`journal.identity`).
    """
    signatory.link_key = next_key(signatory.link_key)
    signatory.save(update_fields=["link_key"])
    journal.note(line, now=now, signatory=signatory.pk, same=same, key=identity(signatory.link_key))


def newer_key(key: str, *, is_wanted: Callable[[str], bool]) -> str:
    """Return the first key after this one for which `is_wanted` is true. Raises `UnableToFindKey`.

    SECRET_KEY may have changed between two renewals. So older secrets are tried first, and each newer secret is tried
    from every key computed so far.
    """
    candidates = [key]
    for secret in (*reversed(settings.SECRET_KEY_FALLBACKS), settings.SECRET_KEY):
        for start in tuple(candidates):
            candidate = start
            for _ in range(MAX_STEPS):
                candidate = _next(candidate, secret)
                if is_wanted(candidate):
                    return candidate
                candidates.append(candidate)
    raise UnableToFindKey


def redo_links(
    subject: str,
    lines: Sequence[dict[str, Any]],
    rows: Iterable[Row],
    *,
    identity_of: Callable[[Row], str],
    began_at: Callable[[Row], dt.datetime],
    holder: Callable[[Row], Any],
    renew: Callable[[Row], object],
) -> RedoResult:
    """Give each row the newest link key according to the journal. `holder` returns the object with the `link_key`.

    Links from before the renewal become invalid, and links sent since become valid again. If the newest key cannot be
    found, `renew` makes all links of the row invalid.
    """

    def redo(row: Row, line: dict[str, Any]) -> int:
        """Set the key that has the hash in the line. Returns 1 if the key changed, or 0."""

        def is_newest(key: str) -> bool:
            return identity(key) == str(line["key"])

        key_holder = holder(row)
        if is_newest(key_holder.link_key):
            return 0
        try:
            key_holder.link_key = newer_key(key_holder.link_key, is_wanted=is_newest)
        except UnableToFindKey:
            # The key is random, because invalid links may have been signed with the key that follows from the old one.
            key_holder.link_key = secrets.token_hex(16)
            key_holder.save(update_fields=["link_key"])
            renew(row)
            raise
        key_holder.save(update_fields=["link_key"])
        return 1

    return redo_each(
        subject, lines, rows, identity_of=identity_of, began_at=began_at, redo=redo, unable=UnableToFindKey
    )


def _next(key: str, secret: str) -> str:
    """Return the key that follows a key with this secret."""
    return hmac.digest(secret.encode(), f"common ground: the key after {key}".encode(), hashlib.sha256).hex()[:32]
