"""Database roles for tests, with the application's rights and timeouts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from housing.database_roles import connection_settings, limit_roles
from housing.grants import grant


def database_url(*, user: str = "", password: str = "") -> str:
    """Return the URL of the tests' database, for its owner or another role."""
    database: dict[str, Any] = connection.settings_dict
    user, password = user or database["USER"], password or database["PASSWORD"]
    return f"postgres://{user}:{password}@{quote(database['HOST'], safe='')}:{database['PORT']}/{database['NAME']}"


def callable_by_everybody(cursor: CursorWrapper, functions: list[str]) -> list[str]:
    """Return the functions, among these, that any role may call."""
    cursor.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " CROSS JOIN aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) a"
        " WHERE p.oid = ANY(%s::regprocedure[]) AND a.grantee = 0 ORDER BY 1",
        [functions],
    )
    return [name for (name,) in cursor.fetchall()]


@contextmanager
def limited_role(kind: str) -> Iterator[str]:
    """Create a role with the application's rights and limits for the block, and yield its URL.

    `kind` chooses the limits: `web` or `worker`.
    """
    name = f"test_{kind}_{secrets.token_hex(4)}"
    password = secrets.token_hex(16)
    identifier = sql.Identifier(name)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(identifier, sql.Literal(password)))
        grant(role=name)
    try:
        url = database_url(user=name, password=password)
        limit_roles({kind: connection_settings(url)}, owner=connection.settings_dict["USER"])
        yield url
    finally:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(identifier))
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [name])
            cursor.execute(sql.SQL("DROP OWNED BY {}; DROP ROLE {}").format(identifier, identifier))
