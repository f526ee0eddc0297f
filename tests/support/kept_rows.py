"""Rows that a fixture made once, inserted again for later tests, also for those of the run's other processes.

Making the world through services takes some 300 queries, and that of every page thousands; putting rows back takes one.
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

Made = TypeVar("Made")

#: Seconds after which rows are made again, so that "30 days ago" stays so.
_FRESH = 600


@dataclass(frozen=True)
class _Kept:
    made_at: float
    made_on: dt.date
    #: What inserts the rows again, and what sets the sequences of another process's database beyond them.
    statement: str
    beyond: str
    #: What was built, pickled.
    result: bytes

    @property
    def is_fresh(self) -> bool:
        """Whether the rows are of this day, and of the last ten minutes."""
        return self.made_on == timezone.localdate() and time.time() - self.made_at < _FRESH


_kept: dict[str, _Kept] = {}
#: The database of this process's tests, a copy of the migrated one as those of the other processes.
_database = ""
#: Where the processes of a run keep rows for each other; None for a process alone.
_folder: Path | None = None


def begin(*, database: str, folder: Path | None) -> None:
    """Keep rows of this database, in this folder for all processes that are given the same."""
    global _database, _folder
    _database, _folder = database, folder


def kept(build: Callable[[], Made]) -> Made:
    """What `build` returns, with its rows in the database.

    Built by calling it, or by inserting the rows that it made for an earlier test. Rows are kept only if nothing was
    written in the transaction before, the clock is the real one, the database is that of all tests and the role may
    turn triggers off (which would write again what is among the rows).
    """
    name = f"{build.__module__}.{build.__qualname__}"
    if time_machine.escape_hatch.is_travelling() or connection.settings_dict["NAME"] != _database:
        return build()
    if found := _found(name):
        return cast(Made, _inserted(found))
    with _one_at_a_time(name):
        if found := _found(name):  # another process has made them meanwhile
            return cast(Made, _inserted(found))
        began_on = timezone.localdate()
        with transaction.atomic():
            first = _first_transaction()
            made = build()
        if first:
            _keep(name, first, made, began_on)
    return made


def _found(name: str) -> _Kept | None:
    """Fresh rows of this process, or of another of the run."""
    found = _kept.get(name)
    if found and found.is_fresh:
        return found
    if _folder and (file := _folder / name).exists():
        of_another: _Kept = pickle.loads(file.read_bytes())
        if of_another.is_fresh:
            with connection.cursor() as cursor:
                cursor.execute(of_another.beyond)
            # Their numbers may be those of other records that this process had, and rendered for ten minutes.
            selecting.clear_cache()
            subjects.clear_cache()
            _kept[name] = of_another
            return of_another
    return None


def _inserted(found: _Kept) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(found.statement)
    return pickle.loads(found.result)


def _keep(name: str, first: int, made: Any, made_on: dt.date) -> None:
    rows = _Kept(
        made_at=time.time(),
        made_on=made_on,
        statement=_insert_again(first),
        beyond=_set_sequences(),
        result=pickle.dumps(made),
    )
    _kept[name] = rows
    if _folder:
        whole = _folder / f"{name}.new"
        whole.write_bytes(pickle.dumps(rows))
        whole.rename(_folder / name)


@contextlib.contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Wait while another process of the run makes these rows."""
    if _folder is None:
        yield
        return
    with (_folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def may_turn_triggers_off() -> bool:
    """Whether the role may; the embedded PostgreSQL lets its owner."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        return bool(cursor.fetchone()[0])


def _first_transaction() -> int | None:
    """The transaction's number; None if it wrote before, or if its role may not turn triggers off."""
    if not may_turn_triggers_off():
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT pg_current_xact_id()::xid::text::bigint")
        return int(cursor.fetchone()[0])


def _insert_again(first: int) -> str:
    """A statement that inserts every row written since the transaction with this number."""
    parts = ["SET LOCAL session_replication_role = replica"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(a.attname ORDER BY a.attnum) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'cache_entry'"
            " GROUP BY 1 ORDER BY 1"
        )
        for table, columns in cursor.fetchall():
            cursor.execute(
                sql.SQL("SELECT array_agg(t::text) FROM {} t WHERE xmin::text::bigint >= %s").format(
                    sql.Identifier(table)
                ),
                [first],
            )
            if rows := cursor.fetchone()[0]:
                insert = sql.SQL(
                    "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}"
                    " FROM unnest({rows}::{table}[]) t"
                ).format(
                    table=sql.Identifier(table),
                    columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                    rows=sql.Literal(rows),
                )
                parts.append(insert.as_string(cursor.cursor))
    parts.append("SET LOCAL session_replication_role = origin")
    return "; ".join(parts)


def _set_sequences() -> str:
    """A statement that sets every sequence at least as far as it is now; no rollback undoes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, sequencename, last_value FROM pg_sequences"
            " WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
        found = cursor.fetchall()
        return "; ".join(
            sql.SQL("SELECT setval({name}::regclass, {value}) FROM {sequence} WHERE last_value <= {value}")
            .format(
                name=sql.Literal(f'"{schema}"."{sequence}"'),
                value=sql.Literal(value),
                sequence=sql.Identifier(schema, sequence),
            )
            .as_string(cursor.cursor)
            for schema, sequence, value in found
        )
