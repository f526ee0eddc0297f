"""The database as migrated, again after a test with real transactions.

Django's flush truncates hundreds of tables, most of them empty, and loses the rows that migrations make: kinds of
partnership, themes, units and kinds of plan.
"""

from __future__ import annotations

import io
import warnings
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg2 import sql

from partnerships.kit import vocabularies
from partnerships.kit.database import rows_planned_once
from tests.support.kept_rows import may_turn_triggers_off

#: Tables that Django fills by itself after a flush.
BY_DJANGO = frozenset({"django_content_type", "auth_permission", "django_migrations"})

#: Those of these tables, or of their parts, that have a file with pages. A look into each of the hundreds of tables
#: would lock them all.
WRITTEN = """
    SELECT written.relname FROM pg_class written
    LEFT JOIN pg_inherits ON inhrelid = written.oid
    LEFT JOIN pg_class whole ON whole.oid = inhparent
    WHERE written.relkind = 'r' AND written.relnamespace = 'public'::regnamespace
        AND (written.relname = ANY(%(tables)s) OR whole.relname = ANY(%(tables)s))
        AND pg_relation_size(written.oid) > 0
"""

#: Whether anything is in tables that a migrated database leaves empty. Planned once for a connection: emails have a
#: part for each month, and every test asks.
LATE = (
    "SELECT EXISTS (SELECT FROM people_user) OR EXISTS (SELECT FROM organisations_organisation)"
    " OR EXISTS (SELECT FROM organisations_area) OR EXISTS (SELECT FROM outbox_email)"
)

_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # private in Django

_kept: dict[str, str] = {}
_database = ""
#: Whether the rows of an earlier test may still be there, because clearing them failed.
_is_left = False


def keep(migrated: dict[str, Any]) -> None:
    """Keep the rows of the migrated test database with these settings."""
    global _database
    _database = migrated["NAME"]
    with connection.cursor() as cursor:
        for table in _tables():
            if _has_rows(table):
                rows = io.StringIO()
                cursor.copy_expert(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table)), rows)
                _kept[table] = rows.getvalue()


def as_migrated(case: TransactionTestCase) -> None:
    """Delete every row that a test left, and put back those of the migrations; instead of a flush.

    A flush it is where the role may not turn triggers off, and in a database that a test made for itself.
    """
    global _is_left
    if connection.settings_dict["NAME"] != _database or not may_turn_triggers_off():
        _flush(case)
        return
    _is_left = True
    _clear()
    _is_left = False


def clear_what_is_left() -> None:
    """Clear once more if it failed after an earlier test, or if a thread or process of it wrote afterwards.

    The earlier test is to fail alone.
    """
    global _is_left
    if not _is_left and written_late():
        warnings.warn("A test before this one still wrote after its rows were cleared.", stacklevel=2)
        _is_left = True
    if _is_left:
        connection.close()
        _clear()
        _is_left = False


def written_late() -> bool:
    """Whether the database has people, organisations, areas or emails; a migrated one has none of these."""
    if connection.in_atomic_block or connection.settings_dict["NAME"] != _database:
        return False
    connection.close_if_unusable_or_obsolete()
    [(found,)] = rows_planned_once(LATE, (), generic_plan=True)
    return bool(found)


def _clear() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(WRITTEN, {"tables": _tables()})
        deletions = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in cursor.fetchall()]
        if deletions:
            cursor.execute(sql.SQL("; ").join(deletions))
        for table in _kept:
            _copy_back(table)
    vocabularies.forget()


def put_back(**_: Any) -> None:
    """Put the rows back if they are gone; on `post_migrate`, which a flush sends."""
    if connection.settings_dict["NAME"] != _database:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        gone = [table for table in _kept if not _has_rows(table)]
        # What the triggers would write is among the rows that are put back.
        for table in gone:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
        for table in gone:
            _copy_back(table)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in gone:
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
    vocabularies.forget()


def _copy_back(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table)), io.StringIO(_kept[table]))


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
        return bool(cursor.fetchone()[0])


@cache
def _tables() -> list[str]:
    """What a flush empties, without the tables that Django fills."""
    return sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - BY_DJANGO)
