"""Heartbeats of processes and backups, timed by the database's clock so that machines need not agree."""

from __future__ import annotations

import contextlib
from socket import gethostname

from django.db import Error, connection, connections

from partnerships.kit.standby import STANDBY

BEAT = "beat"
#: Recorded for each machine (`on_this_machine`), as beat's is too.
WORKER, SENDER = "worker", "sender"
#: Recorded when a backup, or a drill of a restore, is complete.
BACKUP = "backup"
BACKUP_DRILL = "backup-drill"
#: Beat ticks every few seconds. Without a tick for this long, it hangs.
STALE_SECONDS = 60.0
#: How often the other processes record their heartbeat.
SEEN_EVERY_SECONDS = 15.0


def has_heartbeats() -> bool:
    """Whether the database has a table of heartbeats. One from before 0.1.0 gets it with its upgrade."""
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
    """The name of the heartbeat of a process on this machine; the column takes 50 characters."""
    return f"{process}@{gethostname()}"[:50]


def forget(name: str) -> None:
    """Delete the heartbeat of a process that was stopped on purpose, so that nobody misses it."""
    with contextlib.suppress(Error), connection.cursor() as cursor:
        cursor.execute("DELETE FROM housing_heartbeat WHERE name = %s", [name])


def seconds_since_seen() -> list[tuple[str, str, float]]:
    """The process, the machine and the age in seconds of each heartbeat with a machine, in order of their names.

    Heartbeats older than six hours are left out: their machine was probably taken away without stopping its processes.
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
    """How much older beat's heartbeat is on the standby than on the primary; None if the standby does not answer.

    PostgreSQL's own figures about replication would not show that the standby is cut off from the primary.
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
    """Seconds since the last heartbeat of a process; None if there was none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(at))::float FROM housing_heartbeat WHERE name = %s",
            [name],
        )
        age: float | None = cursor.fetchone()[0]
    return age
