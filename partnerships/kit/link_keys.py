"""Keys in signed links: each follows from the one before it.

A new key makes earlier links invalid. After a restore the database has an old key; the newest follows from it, so links
sent since the backup open again without a key in the journal. Nobody can tell the next key without SECRET_KEY.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.conf import settings

from partnerships.kit.journal import Redone, identity, redo_each

Row = TypeVar("Row")

#: Renewals that are looked through; nobody renews links more often between two backups.
_MOST = 1_000


class UnableToFindKey(Exception):
    """The newest key does not follow from this one: SECRET_KEY was changed without a fallback."""

    def __init__(self) -> None:
        super().__init__("its links ended, those sent since the backup too; ask again")


def next_key(key: str) -> str:
    """The key that follows this one."""
    return _next(key, settings.SECRET_KEY)


def newer_key(key: str, *, is_it: Callable[[str], bool]) -> str:
    """The key after this one that `is_it`. Raises `UnableToFindKey`."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        found = key
        for _ in range(_MOST):
            found = _next(found, secret)
            if is_it(found):
                return found
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
        def is_newest(key: str) -> bool:
            return identity(key) == str(line["key"])

        kept = holder(row)
        if is_newest(kept.link_key):
            return 0
        try:
            kept.link_key = newer_key(kept.link_key, is_it=is_newest)
        except UnableToFindKey:
            renew(row)
            raise
        kept.save(update_fields=["link_key"])
        return 1

    return redo_each(subject, lines, rows, same=same, began=began, redo=redo, unable=UnableToFindKey)


def _next(key: str, secret: str) -> str:
    return hmac.digest(secret.encode(), f"common ground: the key after {key}".encode(), hashlib.sha256).hex()[:32]
