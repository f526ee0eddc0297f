"""Heartbeats of processes and backups, timed by the database's clock so that the clocks of machines need not agree."""

from __future__ import annotations

import contextlib
from socket import gethostname

from django.db import Error, connection, connections

from partnerships.kit.standby import STANDBY

BEAT = "beat"
#: These heartbeats are recorded for each machine (`on_this_machine`), and so is beat's.
WORKER, SENDER = "worker", "sender"
#: These heartbeats are recorded when a backup, or a drill of a restore, is complete.
BACKUP = "backup"
BACKUP_DRILL = "backup-drill"
#: Beat ticks every few seconds. If it has not ticked for this time, it hangs.
STALE_SECONDS = 60.0
#: The interval at which the other processes record their heartbeat.
SEEN_EVERY_SECONDS = 15.0


def has_heartbeats() -> bool:
    """Return whether the database has a table of heartbeats. A database from before 0.1.0 gets it when upgraded."""
    return "housing_heartbeat" in connection.introspection.table_names()


def record_heartbeat(*names: str) -> None:
    """Record now as the time at which these processes were alive, or a backup was complete."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO housing_heartbeat (name, at) SELECT unnest(%s), clock_timestamp()"
            " ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at",
            [list(names)],
        )


def on_this_machine(process: str) -> str:
    """Return the name of the heartbeat of a process on this machine, cut to the column's 50 characters."""
    return f"{process}@{gethostname()}"[:50]


def forget(name: str) -> None:
    """Delete the heartbeat of a process that was stopped on purpose, so that nobody is alerted about it."""
    with contextlib.suppress(Error), connection.cursor() as cursor:
        cursor.execute("DELETE FROM housing_heartbeat WHERE name = %s", [name])


def seconds_since_seen() -> list[tuple[str, str, float]]:
    """Return the process, machine and age in seconds of each heartbeat with a machine, sorted by name.

    Heartbeats older than six hours are left out, because their machine was probably removed without stopping its
    processes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SECONDS_SINCE_SEEN)
        return list(cursor.fetchall())


_SECONDS_SINCE_SEEN = """
SELECT split_part(name, '@', 1),
       substr(name, strpos(name, '@') + 1),
       EXTRACT(EPOCH FROM clock_timestamp() - at)::float
  FROM housing_heartbeat
 WHERE strpos(name, '@') > 0 AND at > clock_timestamp() - interval '6 hours'
 ORDER BY name
"""


def standby_seconds_behind() -> float | None:
    """Return how much older beat's heartbeat is on the standby than on the primary, in seconds.

    Returns None if the standby does not answer. PostgreSQL's own figures about replication would not show that the
    standby is cut off from the primary.
    """
    statement = "SELECT max(at) FROM housing_heartbeat WHERE name = %s"
    with connection.cursor() as cursor:
        cursor.execute(statement, [BEAT])
        (at_on_primary,) = cursor.fetchone()
    try:
        with connections[STANDBY].cursor() as cursor:
            cursor.execute(statement, [BEAT])
            (at_on_standby,) = cursor.fetchone()
    except Error:
        connections[STANDBY].close()
        return None
    if not at_on_primary or not at_on_standby:
        return None
    seconds_behind: float = (at_on_primary - at_on_standby).total_seconds()
    return max(seconds_behind, 0.0)


def heartbeat_age(name: str) -> float | None:
    """Return the seconds since the last heartbeat of a process, or None if there was none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(at))::float FROM housing_heartbeat WHERE name = %s",
            [name],
        )
        age: float | None = cursor.fetchone()[0]
    return age
