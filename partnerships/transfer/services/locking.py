"""Lets imports run one at a time.

Two at once would match rows against a directory that the other is changing.
"""

from __future__ import annotations

from django.db import connection

#: Not used by any other advisory lock in this database.
_IMPORTS = 7_261_050


def take_turn() -> bool:
    """Whether no other import is running; then the lock is ours until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_IMPORTS])
        taken: bool = cursor.fetchone()[0]
    return taken


def wait_for_turn() -> None:
    """Wait for other imports to finish; the lock ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORTS])
