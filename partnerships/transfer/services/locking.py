"""A lock that makes imports run one at a time.

Without the lock, one import could match its rows with a directory that another import is changing.
"""

from __future__ import annotations

from django.db import connection

#: The key of the advisory lock, which no other lock in this database may have.
IMPORTS_LOCK = 7_261_050


def try_to_lock_imports() -> bool:
    """Lock imports until the transaction ends, and return True. Return False if another import has the lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [IMPORTS_LOCK])
        is_taken: bool = cursor.fetchone()[0]
    return is_taken


def lock_imports() -> None:
    """Wait until no other import has the lock, and lock imports until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORTS_LOCK])
