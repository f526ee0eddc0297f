"""What a database and a folder of files hold.

It has the number of rows and a hash of each table, and a hash of each file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

#: Rows as text must not depend on the session.
_SESSION = (
    "SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;"
    " SET bytea_output = 'hex'"
)
#: Tables, partitions and materialised views; not those of extensions.
_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1
"""
#: The sum of a number from each row's hash does not depend on the order of rows.
_ROWS = """
SELECT count(*), COALESCE(sum(('x' || left(encode(sha256(convert_to(whole_row::text, 'UTF8')), 'hex'), 15))
       ::bit(60)::bigint), 0)::text
  FROM {} AS whole_row
"""
#: NOT NULL is a constraint of its own only from PostgreSQL 18 on.
_OBJECTS = """
SELECT 'triggers', count(*) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'indexes', count(*) FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraints', count(*) FROM pg_constraint
           WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
"""


@dataclass(frozen=True)
class DatabaseContents:
    """Rows and hash by table, last numbers by sequence, and how many triggers, indexes and constraints there are."""

    tables: dict[str, tuple[int, str]]
    sequences: dict[str, int]
    objects: dict[str, int]

    def differences(self, restored: DatabaseContents) -> list[str]:
        """A sentence for each difference.

        A sequence may have moved on while the backup was made.
        """
        found = []
        for table in sorted(self.tables.keys() | restored.tables.keys()):
            before, after = self.tables.get(table), restored.tables.get(table)
            if before != after:
                found.append(f"{table}: {_rows(before)} in the backup, {_rows(after)} restored.")
        for name, number in self.sequences.items():
            if restored.sequences.get(name, 0) < number:
                found.append(f"{name} stands at {restored.sequences.get(name, 0)} instead of {number}.")
        for kind, number in self.objects.items():
            if restored.objects.get(kind) != number:
                found.append(f"{restored.objects.get(kind, 0)} {kind} instead of {number}.")
        return found


def _rows(table: tuple[int, str] | None) -> str:
    return f"{table[0]} rows with the hash {table[1]}" if table else "no such table"


@contextmanager
def connect(database: Mapping[str, Any]) -> Iterator[Any]:
    """A connection to a database of Django's settings, closed on exit."""
    connection = psycopg2.connect(
        dbname=database["NAME"],
        user=database.get("USER") or None,
        password=database.get("PASSWORD") or None,
        host=database.get("HOST") or None,
        port=database.get("PORT") or None,
        **database.get("OPTIONS", {}),
    )
    try:
        yield connection
    finally:
        connection.close()


def read_contents(cursor: Any) -> DatabaseContents:
    """Read every row of every table in the public schema, in the cursor's transaction."""
    cursor.execute(_SESSION)
    cursor.execute(_TABLES)
    tables = {}
    for (table,) in cursor.fetchall():
        cursor.execute(sql.SQL(_ROWS).format(sql.Identifier("public", table)))
        tables[table] = cursor.fetchone()
    cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
    sequences = {name: number for name, number in cursor.fetchall() if number is not None}
    cursor.execute(_OBJECTS)
    return DatabaseContents(tables=tables, sequences=sequences, objects=dict(cursor.fetchall()))


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
