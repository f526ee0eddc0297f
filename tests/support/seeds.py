"""Restore the migrated database after a test with real transactions, instead of Django's flush.

A flush truncates hundreds of tables, and most of them are empty. It also loses the rows that migrations create, such as
kinds of partnership, themes and units.
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

#: Tables that Django fills again after a flush.
FILLED_BY_DJANGO = frozenset({"django_content_type", "auth_permission", "django_migrations"})

#: The tables among these, and their partitions, that have pages on disk. This query locks no table, unlike a query of
#: each of the hundreds of tables.
TABLES_WITH_PAGES = """
    SELECT t.relname
      FROM pg_class t
      LEFT JOIN pg_inherits ON inhrelid = t.oid
      LEFT JOIN pg_class parent ON parent.oid = inhparent
     WHERE t.relkind = 'r'
       AND t.relnamespace = 'public'::regnamespace
       AND (t.relname = ANY(%(tables)s) OR parent.relname = ANY(%(tables)s))
       AND pg_relation_size(t.oid) > 0
"""

#: Whether there are rows in tables that are empty in a migrated database. Each connection plans this only once, because
#: it runs before every test, and the table of emails has a partition for each month.
HAS_LEFTOVERS = """
    SELECT EXISTS (SELECT FROM people_user)
        OR EXISTS (SELECT FROM organisations_organisation)
        OR EXISTS (SELECT FROM organisations_area)
        OR EXISTS (SELECT FROM outbox_email)
"""

_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # private in Django

#: The rows of the migrated database, by table, in the text format of COPY.
_migrated_rows: dict[str, str] = {}
_database = ""
#: Whether the database may still have rows of an earlier test, because clearing them failed.
_needs_clearing = False


def save_migrated_rows(settings: dict[str, Any]) -> None:
    """Save the rows of the test database with these settings, right after its migration."""
    global _database
    _database = settings["NAME"]
    with connection.cursor() as cursor:
        for table in _tables():
            if _has_rows(table):
                rows = io.StringIO()
                cursor.copy_expert(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table)), rows)
                _migrated_rows[table] = rows.getvalue()


def restore_migrated_rows(case: TransactionTestCase) -> None:
    """Delete all rows, and insert those of the migrations again. Django calls this instead of its flush.

    If the role may not turn triggers off, or a test uses a separate database, Django's flush is called after all.
    """
    global _needs_clearing
    if connection.settings_dict["NAME"] != _database or not may_turn_triggers_off():
        _flush(case)
        return
    _needs_clearing = True
    _clear()
    _needs_clearing = False


def clear_leftovers() -> None:
    """Clear rows of an earlier test, if clearing them failed or one of the test's threads wrote afterwards.

    Otherwise the earlier test's fault would make this test fail too.
    """
    global _needs_clearing
    if not _needs_clearing and has_leftovers():
        warnings.warn("A test before this one still wrote after its rows were cleared.", stacklevel=2)
        _needs_clearing = True
    if _needs_clearing:
        connection.close()
        _clear()
        _needs_clearing = False


def has_leftovers() -> bool:
    """Return whether the database has any people, organisations, areas or emails. A migrated one has none."""
    if connection.in_atomic_block or connection.settings_dict["NAME"] != _database:
        return False
    connection.close_if_unusable_or_obsolete()
    [(has_rows,)] = rows_planned_once(HAS_LEFTOVERS, (), generic_plan=True)
    return bool(has_rows)


def _clear() -> None:
    """Delete all rows without running triggers, and insert the migrated rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(TABLES_WITH_PAGES, {"tables": _tables()})
        deletions = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in cursor.fetchall()]
        if deletions:
            cursor.execute(sql.SQL("; ").join(deletions))
        for table in _migrated_rows:
            _insert_migrated_rows(table)
    vocabularies.forget()


def restore_missing_rows(**_: Any) -> None:
    """Insert the migrated rows of empty tables. This is a receiver of `post_migrate`, which a flush sends."""
    if connection.settings_dict["NAME"] != _database:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        empty_tables = [table for table in _migrated_rows if not _has_rows(table)]
        # Triggers are off, because the rows that they would write are among the migrated rows.
        for table in empty_tables:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
        for table in empty_tables:
            _insert_migrated_rows(table)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in empty_tables:
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
    vocabularies.forget()


def _insert_migrated_rows(table: str) -> None:
    """Insert the migrated rows of a table."""
    copy = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with connection.cursor() as cursor:
        cursor.copy_expert(copy, io.StringIO(_migrated_rows[table]))


def _has_rows(table: str) -> bool:
    """Return whether a table has any rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
        return bool(cursor.fetchone()[0])


@cache
def _tables() -> list[str]:
    """Return the tables that a flush empties, without those that Django fills again."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(tables) - FILLED_BY_DJANGO)
