"""Reading from a standby of the database, if there is one.

Long files, and what never changes once it is written.

Who may read is always asked of the primary (docs/decisions/0135-long-files-are-read-from-a-standby.md).
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

#: Its name among Django's databases.
STANDBY = "standby"
#: Seconds that a worker waits for the standby to have what the primary had when the work began.
WAIT_SECONDS = 10.0
#: Seconds in which a process does not ask again a standby that did not answer.
AWAY_SECONDS = 30.0
#: The primary's identifier, the position in its write-ahead log, and the timeline that it writes.
_POSITION = (
    "SELECT system_identifier, pg_current_wal_lsn(),"
    " ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int FROM pg_control_system()"
)
#: Why the standby does not have what the primary had at a position; empty if it has. Once it was promoted, what it
#: replayed last stays as it was until it is started again. It knows a new timeline only after its next checkpoint,
#: minutes after a failover: so another timeline alone is no reason.
_WHY_NOT = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'promoted'
            WHEN s.system_identifier <> %s THEN 'of another cluster'
            WHEN pg_last_wal_replay_lsn() >= %s::pg_lsn THEN ''
            WHEN c.timeline_id <> %s THEN 'behind, perhaps from before a restore'
            ELSE 'behind' END
  FROM pg_control_system() s, pg_control_checkpoint() c
"""

_reading: ContextVar[bool] = ContextVar("reading_from_standby", default=False)
_asked_again_at = 0.0


class StandbyRouter:
    """Sends what `from_standby` reads to the standby, and everything else to the primary."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        """The database to read from, whichever a row came from that leads to others."""
        return STANDBY if _reading.get() else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        """The primary."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: object) -> bool:
        """Rows of both are of one database."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        """The standby gets the tables of the primary by itself."""
        return db == DEFAULT_DB_ALIAS


def has_standby() -> bool:
    """Whether DATABASE_REPLICA_URL is set."""
    return STANDBY in connections.databases


def from_standby(read: Callable[[], T]) -> T:
    """What `read` returns, from the standby if it has all that is committed by now, else from the primary.

    So a file from the standby is as new as one from the primary. If the standby fails on the way, `read` is called
    again on the primary: it must do nothing else than read.
    """
    if not has_standby() or _is_away() or not _has_caught_up():
        return read()
    token = _reading.set(True)
    try:
        return read()
    except (OperationalError, InterfaceError) as error:
        if getattr(error.__cause__, "pgcode", "") == errorcodes.QUERY_CANCELED:
            raise  # too long for a statement: it would be on the primary, too
        _note_away(error)
    finally:
        _reading.reset(token)
    return read()


def unchanging_from_standby(rows: QuerySet[Any, T]) -> T | None:
    """The first of these rows, which never change once written; from the standby if it has them already."""
    if has_standby() and not _is_away():
        try:
            row = rows.using(STANDBY).first()
        except (OperationalError, InterfaceError) as error:
            _note_away(error)
        else:
            if row is not None:
                return row
    return rows.first()


def content_of(file: Model) -> bytes:
    """The bytes of a file that was made once and is never changed.

    Its reader was asked about before.
    """
    made = type(file)._default_manager.filter(pk=file.pk, content__isnull=False)
    return bytes(unchanging_from_standby(made.values_list("content", flat=True)) or b"")


def _has_caught_up() -> bool:
    """Whether the standby has all that the primary has committed by now.

    Waits for it. After a restore of the primary, the position of a standby from before means nothing. So the primary
    first writes a mark, which only its own standby gets.
    """
    mark = f"standby-{secrets.token_hex(16)}"
    cache.set(mark, True, timeout=60)
    with connection.cursor() as cursor:
        cursor.execute(_POSITION)
        position = cursor.fetchone()
    until = time.monotonic() + WAIT_SECONDS
    try:
        while (why := _why_not(position)).startswith("behind") and time.monotonic() <= until:
            time.sleep(0.1)
        if not why and not _has(mark):
            why = "from before a restore"
    except (OperationalError, InterfaceError) as error:
        _note_away(error)
        return False
    if why:
        log.warning("standby_not_used", why=why)
    return not why


def _why_not(position: tuple[Any, ...]) -> str:
    with connections[STANDBY].cursor() as cursor:
        cursor.execute(_WHY_NOT, position)
        return str(cursor.fetchone()[0])


def _has(mark: str) -> bool:
    """Whether the standby has a mark.

    The cache is a table, which the router reads there.
    """
    token = _reading.set(True)
    try:
        return cache.get(mark) is not None
    finally:
        _reading.reset(token)


def _is_away() -> bool:
    return time.monotonic() < _asked_again_at


def _note_away(error: Exception) -> None:
    global _asked_again_at  # noqa: PLW0603 - of this process, whose other threads must not wait for it either
    _asked_again_at = time.monotonic() + AWAY_SECONDS
    connections[STANDBY].close()
    log.warning("standby_not_used", why="away", kind=type(error).__name__)
