"""One import at a time: two at once would each decide on a directory that the other is changing."""

from __future__ import annotations

from django.db import connection

#: Any number that no other advisory lock of this database uses.
_IMPORTS = 7_261_050


def wait_for_turn() -> None:
    """Wait until no other import is under way; the turn ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORTS])
