"""Keys in signed links: each follows from the one before it.

A new key makes earlier links invalid. After a restore the database has an old key; the newest follows from it, so links
sent since the backup open again without a key in the journal. Nobody can tell the next key without SECRET_KEY.
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
from partnerships.kit.journal import Redone, identity, redo_each

Row = TypeVar("Row")

#: Renewals with one SECRET_KEY that are looked through; nobody renews links more often between two backups.
_MAX_STEPS = 50


class UnableToFindKey(Exception):
    """The newest key does not follow from this one.

    SECRET_KEY was changed without a fallback.
    """

    def __init__(self) -> None:
        super().__init__("its links ended, those sent since the backup too; ask again")


def next_key(key: str) -> str:
    """The key that follows this one."""
    return _next(key, settings.SECRET_KEY)


def end_links(signatory: Any, *, line: str, same: str, now: dt.datetime) -> None:
    """Make all links sent to a signatory invalid, with a `line` in the journal; `same` is its hash there."""
    signatory.link_key = next_key(signatory.link_key)
    signatory.save(update_fields=["link_key"])
    journal.note(line, now=now, signatory=signatory.pk, same=same, key=identity(signatory.link_key))


def newer_key(key: str, *, is_it: Callable[[str], bool]) -> str:
    """The key after this one that `is_it`. Raises `UnableToFindKey`.

    SECRET_KEY may have changed between two renewals: keys made with a fallback come before those made with a newer one.
    """
    newer = [key]
    for secret in (*reversed(settings.SECRET_KEY_FALLBACKS), settings.SECRET_KEY):
        for start in tuple(newer):
            after = start
            for _ in range(_MAX_STEPS):
                after = _next(after, secret)
                if is_it(after):
                    return after
                newer.append(after)
    raise UnableToFindKey


def redo_links(
    subject: str,
    lines: Sequence[dict[str, Any]],
    rows: Iterable[Row],
    *,
    same: Callable[[Row], str],
    began: Callable[[Row], dt.datetime],
    holder: Callable[[Row], Any],
    renew: Callable[[Row], object],
) -> Redone:
    """Give the `holder` of each row's `link_key` the newest key that a journal's lines know of.

    Earlier links end, and those sent since the backup open. If the newest key cannot be found, `renew` ends all links.
    """

    def redo(row: Row, line: dict[str, Any]) -> int:
        """Take the key that the line names, or a new one if it cannot be found. Returns 1 if it changed."""

        def is_newest(key: str) -> bool:
            return identity(key) == str(line["key"])

        kept = holder(row)
        if is_newest(kept.link_key):
            return 0
        try:
            kept.link_key = newer_key(kept.link_key, is_it=is_newest)
        except UnableToFindKey:
            # The key that follows may be one whose links ended.
            kept.link_key = secrets.token_hex(16)
            kept.save(update_fields=["link_key"])
            renew(row)
            raise
        kept.save(update_fields=["link_key"])
        return 1

    return redo_each(subject, lines, rows, same=same, began=began, redo=redo, unable=UnableToFindKey)


def _next(key: str, secret: str) -> str:
    return hmac.digest(secret.encode(), f"common ground: the key after {key}".encode(), hashlib.sha256).hex()[:32]
