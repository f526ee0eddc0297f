"""Heartbeats: rows, by the database's clock, so that every machine can tell how old they are."""

from __future__ import annotations

from django.db import connection

BEAT = "beat"
#: Beat ticks every few seconds; after so long without one it hangs.
STALE_SECONDS = 60.0


def note_heartbeat(name: str) -> None:
    """Say that a part lives."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO housing_heartbeat (name, at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at",
            [name],
        )


def heartbeat_age(name: str) -> float | None:
    """Seconds since a part last said that it lives; None if it never did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(at))::float FROM housing_heartbeat WHERE name = %s",
            [name],
        )
        age: float | None = cursor.fetchone()[0]
    return age
