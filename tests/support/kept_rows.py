"""Build the rows of a fixture once, and insert them again for later tests, also in other processes of the run.

Building the world through services takes some 300 queries, and building that of every page thousands. Inserting the
same rows again takes one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import time_machine
from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import sql

from partnerships.digests.emails import selecting, subjects

Result = TypeVar("Result")

#: Seconds after which rows are built again, so that a time such as "30 days ago" in them stays true.
_MAX_AGE = 600


@dataclass(frozen=True)
class _Snapshot:
    """The rows that a function built, as SQL, and its result."""

    built_at: float
    built_on: dt.date
    #: SQL that inserts the rows.
    insert_rows: str
    #: SQL that moves the sequences of another process's database beyond the ids of the rows.
    advance_sequences: str
    pickled_result: bytes

    @property
    def is_fresh(self) -> bool:
        """Return whether the rows were built today, and not too long ago."""
        return self.built_on == timezone.localdate() and time.time() - self.built_at < _MAX_AGE


#: The snapshots of this process, by the name of the function.
_snapshots: dict[str, _Snapshot] = {}
#: The database of this process's tests. Each process has a copy of the migrated database.
_database = ""
#: The folder in which the processes of a run share snapshots, or None if there is only one process.
_folder: Path | None = None


def use(*, database: str, folder: Path | None) -> None:
    """Create snapshots of this database, and share them with other processes in this folder."""
    global _database, _folder
    _database, _folder = database, folder


@contextlib.contextmanager
def shared_in(folder: Path) -> Iterator[None]:
    """Share snapshots in this folder within the block."""
    usual_folder = _folder
    use(database=_database, folder=folder)
    try:
        yield
    finally:
        use(database=_database, folder=usual_folder)
        forget_snapshots()


def forget_snapshots() -> None:
    """Forget the snapshots of this process, so that it behaves like another process with the same folder."""
    _snapshots.clear()


def build_once(build: Callable[[], Result]) -> Result:
    """Return the result of `build`, with its rows in the database.

    Either `build` is called, or the rows that it built for an earlier test are inserted again. A snapshot is only
    created if the transaction has written nothing before, the clock is the real one, the database is that of all
    tests, and the role may turn triggers off. (Triggers would write rows that are already in the snapshot.)
    """
    name = f"{build.__module__}.{build.__qualname__}"
    if time_machine.escape_hatch.is_travelling() or connection.settings_dict["NAME"] != _database:
        return build()
    if snapshot := _fresh_snapshot(name):
        return cast(Result, _insert(snapshot))
    with _lock(name):
        if snapshot := _fresh_snapshot(name):  # another process has built the rows while this one waited
            return cast(Result, _insert(snapshot))
        today = timezone.localdate()
        with transaction.atomic():
            transaction_id = _new_transaction_id()
            result = build()
        if transaction_id:
            _save_snapshot(name, result, transaction_id=transaction_id, built_on=today)
    return result


def _fresh_snapshot(name: str) -> _Snapshot | None:
    """Return the fresh snapshot of this process, or of another process of the run."""
    snapshot = _snapshots.get(name)
    if snapshot and snapshot.is_fresh:
        return snapshot
    if _folder is None or not (_folder / name).exists():
        return None
    shared_snapshot: _Snapshot = pickle.loads((_folder / name).read_bytes())
    if not shared_snapshot.is_fresh:
        return None
    with connection.cursor() as cursor:
        cursor.execute(shared_snapshot.advance_sequences)
    # This process may have rendered other records with the same ids, and caches what it renders for ten minutes.
    selecting.clear_cache()
    subjects.clear_cache()
    _snapshots[name] = shared_snapshot
    return shared_snapshot


def _insert(snapshot: _Snapshot) -> Any:
    """Insert the rows of a snapshot, and return its result."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(snapshot.insert_rows)
    return pickle.loads(snapshot.pickled_result)


def _save_snapshot(name: str, result: Any, *, transaction_id: int, built_on: dt.date) -> None:
    """Store a snapshot of the rows written since this transaction began, and share it with other processes."""
    snapshot = _Snapshot(
        built_at=time.time(),
        built_on=built_on,
        insert_rows=_insert_statement(transaction_id),
        advance_sequences=_advance_sequences(),
        pickled_result=pickle.dumps(result),
    )
    _snapshots[name] = snapshot
    if _folder:
        # The file gets its name once it is complete, because another process may read it at any time.
        unfinished_file = _folder / f"{name}.new"
        unfinished_file.write_bytes(pickle.dumps(snapshot))
        unfinished_file.rename(_folder / name)


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """Let only one process at a time build these rows."""
    if _folder is None:
        yield
        return
    with (_folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def may_turn_triggers_off() -> bool:
    """Return whether the role may turn triggers off, as the owner of the embedded PostgreSQL may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        return bool(cursor.fetchone()[0])


def _new_transaction_id() -> int | None:
    """Return the id of the current transaction.

    Returns None if the transaction has written before, or its role may not turn triggers off.
    """
    if not may_turn_triggers_off():
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
        (is_new,) = cursor.fetchone()
        if not is_new:
            return None
        cursor.execute("SELECT pg_current_xact_id()::xid::text::bigint")
        return int(cursor.fetchone()[0])


#: All tables except the cache's, with their columns that are not generated.
_TABLES = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'cache_entry'
 GROUP BY 1
 ORDER BY 1
"""


def _insert_statement(transaction_id: int) -> str:
    """Return SQL that inserts every row written since this transaction began, without running triggers."""
    statements = ["SET LOCAL session_replication_role = replica"]
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for table, columns in cursor.fetchall():
            written_rows = sql.SQL("SELECT array_agg(t::text) FROM {} t WHERE xmin::text::bigint >= %s")
            cursor.execute(written_rows.format(sql.Identifier(table)), [transaction_id])
            (rows,) = cursor.fetchone()
            if rows:
                insert = sql.SQL(
                    "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}"
                    " FROM unnest({rows}::{table}[]) t"
                ).format(
                    table=sql.Identifier(table),
                    columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                    rows=sql.Literal(rows),
                )
                statements.append(insert.as_string(cursor.cursor))
    statements.append("SET LOCAL session_replication_role = origin")
    return "; ".join(statements)


def _advance_sequences() -> str:
    """Return SQL that sets every sequence to its present value if it is lower. A rollback does not undo it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, sequencename, last_value FROM pg_sequences"
            " WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
        statements = [
            sql.SQL("SELECT setval({name}::regclass, {value}) FROM {sequence} WHERE last_value <= {value}").format(
                name=sql.Literal(f'"{schema}"."{sequence}"'),
                value=sql.Literal(last_value),
                sequence=sql.Identifier(schema, sequence),
            )
            for schema, sequence, last_value in cursor.fetchall()
        ]
        return "; ".join(statement.as_string(cursor.cursor) for statement in statements)
