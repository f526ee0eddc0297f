"""Read long files, and rows that never change, from a standby of the database if there is one.

Rights are always checked on the primary (docs/decisions/0135-long-files-are-read-from-a-standby.md).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import structlog
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection, connections
from django.db.models import Model, QuerySet
from django.db.utils import DEFAULT_DB_ALIAS
from psycopg2 import errorcodes

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: The alias of the standby in DATABASES.
STANDBY = "standby"
#: How long to wait for the standby to catch up with the primary, in seconds.
WAIT_SECONDS = 10.0
#: How long a process does not use a standby that failed to answer, in seconds.
AWAY_SECONDS = 30.0
#: The primary's identifier, the position in its write-ahead log, and the timeline that it writes.
POSITION = """
SELECT system_identifier,
       pg_current_wal_lsn(),
       ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
  FROM pg_control_system()
"""
#: The reason why the standby does not have everything that the primary had at a position, or '' if it has everything. A
#: standby that was promoted and not restarted still reports its old replay position. Another timeline alone is no
#: reason, because after a failover, a standby shows the new timeline only after its next checkpoint some minutes later.
WHY_BEHIND = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'promoted'
            WHEN s.system_identifier <> %s THEN 'of another cluster'
            WHEN pg_last_wal_replay_lsn() >= %s::pg_lsn THEN ''
            WHEN c.timeline_id <> %s THEN 'behind, perhaps from before a restore'
            ELSE 'behind' END
  FROM pg_control_system() s, pg_control_checkpoint() c
"""

_is_reading: ContextVar[bool] = ContextVar("reading_from_standby", default=False)
#: The time (`time.monotonic`) until which this process does not use the standby.
_away_until = 0.0


class StandbyRouter:
    """The database router, which sends queries within `from_standby` to the standby, and all others to the primary."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        """Return the database to read from, also for rows that are related to a row from the other database."""
        return STANDBY if _is_reading.get() else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        """Return the primary."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, obj1: Model, obj2: Model, **hints: object) -> bool:
        """Return True, because the standby is a copy of the primary."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        """Return True only for the primary, because PostgreSQL copies the tables to the standby."""
        return db == DEFAULT_DB_ALIAS


def has_standby() -> bool:
    """Return whether DATABASE_REPLICA_URL is set."""
    return STANDBY in connections.databases


def from_standby(read: Callable[[], T]) -> T:
    """Return the result of `read`, from the standby if it has all present commits, else from the primary.

    So a file from the standby is as new as one from the primary. If the standby fails while reading, `read` is called
    again on the primary, so it must have no side effects.
    """
    if not has_standby() or _is_away() or not _has_caught_up():
        return read()
    token = _is_reading.set(True)
    try:
        return read()
    except (OperationalError, InterfaceError) as error:
        if getattr(error.__cause__, "pgcode", "") == errorcodes.QUERY_CANCELED:
            raise  # the statement took too long, and would also take too long on the primary
        _set_away(error)
    finally:
        _is_reading.reset(token)
    return read()


def unchanging_from_standby(rows: QuerySet[Any, T]) -> T | None:
    """Return the first of these rows, from the standby if it already has them.

    The rows must never change once written.
    """
    if has_standby() and not _is_away():
        try:
            row = rows.using(STANDBY).first()
        except (OperationalError, InterfaceError) as error:
            _set_away(error)
        else:
            if row is not None:
                return row
    return rows.first()


def content_of(file: Model) -> bytes:
    """Return the bytes of a generated file, which never change. Check the reader's rights first."""
    rows = type(file)._default_manager.filter(pk=file.pk, content__isnull=False)
    return bytes(unchanging_from_standby(rows.values_list("content", flat=True)) or b"")


def _has_caught_up() -> bool:
    """Return whether the standby has all present commits of the primary, after waiting for up to `WAIT_SECONDS`.

    After a restore of the primary, a standby from before the restore may report any position. So the primary first
    writes a mark, which is copied only to its own standby.
    """
    mark = f"standby-{secrets.token_hex(16)}"
    cache.set(mark, True, timeout=60)
    with connection.cursor() as cursor:
        cursor.execute(POSITION)
        position = cursor.fetchone()
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while (reason := _why_behind(position)).startswith("behind") and time.monotonic() <= deadline:
            time.sleep(0.1)
        if not reason and not _has_mark(mark):
            reason = "from before a restore"
    except (OperationalError, InterfaceError) as error:
        _set_away(error)
        return False
    if reason:
        log.warning("standby_not_used", why=reason)
    return not reason


def _why_behind(position: tuple[Any, ...]) -> str:
    """Return the reason why the standby is behind this position, or "" if it is not."""
    with connections[STANDBY].cursor() as cursor:
        cursor.execute(WHY_BEHIND, position)
        return str(cursor.fetchone()[0])


def _has_mark(mark: str) -> bool:
    """Return whether the standby has the mark. The cache is a table, so the router can read it there."""
    token = _is_reading.set(True)
    try:
        return cache.get(mark) is not None
    finally:
        _is_reading.reset(token)


def _is_away() -> bool:
    """Return whether the standby failed to answer this process a short time ago."""
    return time.monotonic() < _away_until


def _set_away(error: Exception) -> None:
    """Make this process use the primary alone for the next `AWAY_SECONDS`."""
    global _away_until  # noqa: PLW0603 - for all threads of this process: none of them must wait for the standby
    _away_until = time.monotonic() + AWAY_SECONDS
    connections[STANDBY].close()
    log.warning("standby_not_used", why="away", kind=type(error).__name__)
