"""Heartbeats of processes and backups, timed by the database's clock so that machines need not agree."""

from __future__ import annotations

from django.db import Error, connection, connections

from partnerships.kit.standby import STANDBY

BEAT = "beat"
#: When the last backup, and the last drill of a restore, was complete.
BACKUP = "backup"
BACKUP_DRILL = "backup-drill"
#: Beat ticks every few seconds; after this long without a tick it hangs.
STALE_SECONDS = 60.0


def has_heartbeats() -> bool:
    """Whether the database has a table for them: one from before 0.1.0 gets it by its upgrade."""
    return "housing_heartbeat" in connection.introspection.table_names()


def record_heartbeat(name: str) -> None:
    """Record that a process is alive."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO housing_heartbeat (name, at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at",
            [name],
        )


def standby_seconds_behind() -> float | None:
    """How much older beat's heartbeat is on the standby than on the primary.

    None if the standby does not answer.

    It includes the standby's way of being cut off, which its own figures about replication do not.
    """
    asked = "SELECT max(at) FROM housing_heartbeat WHERE name = %s"
    with connection.cursor() as cursor:
        cursor.execute(asked, [BEAT])
        (newest,) = cursor.fetchone()
    try:
        with connections[STANDBY].cursor() as cursor:
            cursor.execute(asked, [BEAT])
            (there,) = cursor.fetchone()
    except Error:
        connections[STANDBY].close()
        return None
    return max((newest - there).total_seconds(), 0.0) if newest and there else None


def heartbeat_age(name: str) -> float | None:
    """Seconds since the last heartbeat of a process; None if there was none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(at))::float FROM housing_heartbeat WHERE name = %s",
            [name],
        )
        age: float | None = cursor.fetchone()[0]
    return age
