"""Heartbeats of processes and backups, timed by the database's clock so that machines need not agree."""

from __future__ import annotations

import contextlib
from socket import gethostname

from django.db import Error, connection, connections

from partnerships.kit.standby import STANDBY

BEAT = "beat"
#: Seen on each machine, as beat is (`on_this_machine`).
WORKER, SENDER = "worker", "sender"
#: When the last backup, and the last drill of a restore, was complete.
BACKUP = "backup"
BACKUP_DRILL = "backup-drill"
#: Beat ticks every few seconds; after this long without a tick it hangs.
STALE_SECONDS = 60.0
#: So often processes that have no tick of their own say that they are there.
SEEN_EVERY_SECONDS = 15.0


def has_heartbeats() -> bool:
    """Whether the database has a table for them: one from before 0.1.0 gets it by its upgrade."""
    return "housing_heartbeat" in connection.introspection.table_names()


def record_heartbeat(*names: str) -> None:
    """Record that a process is alive, or that a backup is complete."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO housing_heartbeat (name, at) SELECT unnest(%s), clock_timestamp()"
            " ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at",
            [list(names)],
        )


def on_this_machine(process: str) -> str:
    """The name under which a process of this machine is seen; the column takes 50 characters."""
    return f"{process}@{gethostname()}"[:50]


def forget(name: str) -> None:
    """Expect a process no longer, because it was stopped on purpose."""
    with contextlib.suppress(Error), connection.cursor() as cursor:
        cursor.execute("DELETE FROM housing_heartbeat WHERE name = %s", [name])


def seconds_since_seen() -> list[tuple[str, str, float]]:
    """Process, machine and age of the last heartbeat of each, in order.

    A machine that was taken away without stopping its processes is left out after six hours.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT split_part(name, '@', 1), substr(name, strpos(name, '@') + 1),"
            " EXTRACT(EPOCH FROM clock_timestamp() - at)::float FROM housing_heartbeat"
            " WHERE strpos(name, '@') > 0 AND at > clock_timestamp() - interval '6 hours' ORDER BY name"
        )
        return list(cursor.fetchall())


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
