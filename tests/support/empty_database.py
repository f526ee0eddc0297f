"""A separate database for a test that migrates, so that no other test sees its changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg2 import sql


@contextmanager
def empty_database(name: str) -> Iterator[None]:
    """Use an empty database instead of the suite's within the block, and drop it at the end."""

    def execute(statement: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))

    original = connection.settings_dict["NAME"]
    execute("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    execute("CREATE DATABASE {}")
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original
        # FORCE is left out, because it may not end the server's own autovacuum. A plain DROP ends autovacuum by itself.
        execute("DROP DATABASE IF EXISTS {}")
