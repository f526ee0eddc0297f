"""Functions that run as the tables' owner.

Only they can remove rows of append-only tables: the application's role has no DELETE there (`APPEND_ONLY_TABLES`,
housing/grants.py). A migration, which runs as the owner, creates the function with `retention_function`; the room's
retention rule calls `remove_old_rows`.

The body decides by the database's clock and by nothing that a caller can set. Guard such tables by rights and by these
functions: triggers of django-pgtrigger can be turned off by a session variable (`pgtrigger.ignore`).
"""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.migrations.operations import RunSQL


def owner_function(*, name: str, arguments: str, body: str) -> RunSQL:
    """A migration operation: a PL/pgSQL function that runs as its owner.

    It returns a number of rows. `arguments` are SQL such as `person bigint`. Nobody may call it until housing/grants.py
    grants it to the application's role.
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
    """A migration operation: the function behind `remove_old_rows`.

    For one table. It only removes rows whose `column` is older than `kept_for` (an interval such as `365 days`) and
    that meet `condition` (SQL over the table's columns), whatever the caller asks.
    """
    return owner_function(
        name=_removing(table),
        arguments="before timestamptz, batch integer",
        # All values are literals in migrations.
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
        """,  # noqa: S608 - see above
    )


def remove_old_rows(table: str, *, before: dt.datetime, batch: int) -> int:
    """Remove at most `batch` of the oldest rows up to `before`.

    The owner's function may keep some of them.
    """
    return call_owner_function(_removing(table), before, batch)


@transaction.atomic
def call_owner_function(name: str, *values: int | str | dt.datetime) -> int:
    """Call a function made by `owner_function`; the number of changed rows."""
    places = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT public.{connection.ops.quote_name(name)}({places})", values)
        touched: int = cursor.fetchone()[0]
    return touched


def _removing(table: str) -> str:
    return f"remove_old_{table}"
