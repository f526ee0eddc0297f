"""A lock that lets imports run one at a time.

Otherwise one import would match its rows with a directory that another one is changing.
"""

from __future__ import annotations

from django.db import connection

#: The key of the advisory lock; no other lock in this database has it.
IMPORTS_LOCK = 7_261_050


def take_turn() -> bool:
    """Take the lock until the transaction ends, if no other import has it; returns whether it was taken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [IMPORTS_LOCK])
        is_taken: bool = cursor.fetchone()[0]
    return is_taken


def wait_for_turn() -> None:
    """Wait for other imports to finish, and take the lock until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORTS_LOCK])
