"""The contents of a database as row counts and hashes, to compare it with a restored one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

#: Settings of the session, because the text of a row depends on them.
_SESSION = (
    "SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;"
    " SET bytea_output = 'hex'"
)
#: All tables, partitions and materialised views, except those of extensions.
_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1
"""
#: A table's row count and hash. The hash is the sum of the hashes of its rows, so the order of rows does not matter.
_ROWS = """
SELECT count(*), COALESCE(sum(('x' || left(encode(sha256(convert_to(whole_row::text, 'UTF8')), 'hex'), 15))
       ::bit(60)::bigint), 0)::text
  FROM {} AS whole_row
"""
#: The numbers of triggers, indexes and constraints. NOT NULL is left out, because only PostgreSQL 18 and later count
#: it.
_OBJECTS = """
SELECT 'triggers', count(*) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'indexes', count(*) FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraints', count(*) FROM pg_constraint
           WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
"""


@dataclass(frozen=True)
class DatabaseContents:
    """The row counts and hashes of a database."""

    #: The row count and the hash of each table.
    tables: dict[str, tuple[int, str]]
    #: The last value of each sequence.
    sequences: dict[str, int]
    #: The numbers of "triggers", "indexes" and "constraints".
    objects: dict[str, int]

    @property
    def row_count(self) -> int:
        """Return the number of rows of all tables."""
        return sum(count for count, _hash in self.tables.values())

    def differences(self, restored: DatabaseContents) -> list[str]:
        """Return a sentence for each difference from the restored database.

        A restored sequence may be ahead, because the sequence went on while the backup was made.
        """
        sentences = []
        for table in sorted(self.tables.keys() | restored.tables.keys()):
            expected, actual = self.tables.get(table), restored.tables.get(table)
            if expected != actual:
                sentences.append(f"{table}: {_in_words(expected)} in the backup, {_in_words(actual)} restored.")

        for sequence, last_value in self.sequences.items():
            restored_value = restored.sequences.get(sequence, 0)
            if restored_value < last_value:
                sentences.append(f"{sequence} is at {restored_value} instead of {last_value}.")

        for kind, count in self.objects.items():
            if restored.objects.get(kind) != count:
                sentences.append(f"{restored.objects.get(kind, 0)} {kind} instead of {count}.")
        return sentences


def _in_words(table: tuple[int, str] | None) -> str:
    """Return the row count and the hash of a table in words."""
    if table is None:
        return "no such table"
    row_count, row_hash = table
    return f"{row_count} rows with the hash {row_hash}"


@contextmanager
def connect(database: Mapping[str, Any]) -> Iterator[Any]:
    """Open a connection to the database with these settings of Django, and close it on exit."""
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
    sequences = {name: last_value for name, last_value in cursor.fetchall() if last_value is not None}
    cursor.execute(_OBJECTS)
    return DatabaseContents(tables=tables, sequences=sequences, objects=dict(cursor.fetchall()))


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
