"""Rows that a fixture made once, inserted again for later tests.

Making the world through services takes some 300 queries; putting its rows back takes one.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import time_machine
from django.db import connection, transaction
from psycopg2 import sql

Made = TypeVar("Made")

#: Seconds after which rows are made again, so that "30 days ago" stays so.
_FRESH = 600


@dataclass(frozen=True)
class _Kept:
    database: str
    made_at: float
    statement: str
    result: Any


_kept: dict[str, _Kept] = {}


def kept(build: Callable[[], Made]) -> Made:
    """What `build` returns, with its rows in the database.

    Built by calling it, or by inserting the rows that it made for an earlier test of this process. Rows are kept only
    if nothing was written in the transaction before, the clock is the real one and the role may turn triggers off
    (which would write again what is among the rows).
    """
    name = f"{build.__module__}.{build.__qualname__}"
    found = _kept.get(name)
    if time_machine.escape_hatch.is_travelling():
        return build()
    if found and found.database == connection.settings_dict["NAME"] and time.monotonic() - found.made_at < _FRESH:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(found.statement)
        return cast(Made, copy.deepcopy(found.result))
    with transaction.atomic():
        first = _first_transaction()
        made = build()
    if first:
        result = copy.deepcopy(made)
        _kept[name] = _Kept(connection.settings_dict["NAME"], time.monotonic(), _insert_again(first), result)
    return made


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
