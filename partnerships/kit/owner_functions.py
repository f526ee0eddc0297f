"""Database functions that run with the rights of the tables' owner, to remove old rows of append-only tables.

The application's own role has no DELETE on these tables (`APPEND_ONLY_TABLES` in housing/grants.py). A migration, which
runs as the owner, creates a function with `retention_function`, and the room's retention rule calls `remove_old_rows`.

A function checks ages by the database's clock, never by anything that its caller can set. Triggers of django-pgtrigger
would be weaker, because a session can turn them off (`pgtrigger.ignore`).
"""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.migrations.operations import RunSQL


def owner_function(*, name: str, arguments: str, body: str) -> RunSQL:
    """Return a migration operation that creates a PL/pgSQL function with the rights of the tables' owner.

    The function must return a number of rows. `arguments` are SQL such as `person bigint`. Nobody may call the function
    until housing/grants.py grants it to the application's role.
    """
    return RunSQL(
        sql=f"""
            CREATE OR REPLACE FUNCTION public.{name}({arguments}) RETURNS integer
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $function$
            {body}
            $function$;
            REVOKE ALL ON FUNCTION public.{name}({arguments}) FROM PUBLIC;
        """,
        reverse_sql=f"DROP FUNCTION IF EXISTS public.{name}({arguments})",
    )


def retention_function(table: str, *, column: str, kept_for: str, condition: str = "TRUE") -> RunSQL:
    """Return a migration operation that creates the function which `remove_old_rows` calls for a table.

    The function removes only rows in which `column` is older than `kept_for`, such as `365 days`, whatever its caller
    requests. The rows must also meet `condition`, which is SQL on the table's columns.
    """
    return owner_function(
        name=_function_name(table),
        arguments="before timestamptz, batch integer",
        # All values are constants in migrations.
        body=f"""
            DECLARE
                bound timestamptz := LEAST(before, clock_timestamp() - interval '{kept_for}');
                removed integer;
            BEGIN
                DELETE FROM public.{table} WHERE id IN (
                    SELECT id FROM public.{table} WHERE {column} <= bound AND ({condition})
                    ORDER BY {column} LIMIT batch
                );
                GET DIAGNOSTICS removed = ROW_COUNT;
                RETURN removed;
            END
        """,  # noqa: S608 - constants of migrations
    )


def remove_old_rows(table: str, *, before: dt.datetime, batch: int) -> int:
    """Remove the oldest rows up to `before`, at most `batch`, and return how many were removed.

    Rows that are not old enough by the table's `retention_function` are not removed.
    """
    return call_owner_function(_function_name(table), before, batch)


@transaction.atomic
def call_owner_function(name: str, *values: int | str | dt.datetime) -> int:
    """Call a function created by `owner_function`, and return how many rows it changed."""
    placeholders = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT public.{connection.ops.quote_name(name)}({placeholders})", values)
        changed_count: int = cursor.fetchone()[0]
    return changed_count


def _function_name(table: str) -> str:
    return f"remove_old_{table}"
