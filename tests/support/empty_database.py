"""Separate databases for tests that migrate, so that no other test sees their changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg2 import sql


@contextmanager
def separate_database(name: str, *, template: str = "template1") -> Iterator[None]:
    """Create a database by copying the template, which no session may use, and drop it at the end of the block."""

    def execute(statement: str, *names: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    execute("CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield
    finally:
        # FORCE is left out, because it may not end the server's own autovacuum. A plain DROP ends autovacuum by itself.
        execute("DROP DATABASE IF EXISTS {}", name)


@contextmanager
def using_database(name: str) -> Iterator[None]:
    """Use this database instead of the suite's within the block."""
    original = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original


@contextmanager
def empty_database(name: str) -> Iterator[None]:
    """Use an empty database instead of the suite's within the block, and drop it at the end."""
    with separate_database(name), using_database(name):
        yield
