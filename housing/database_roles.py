"""The database roles that processes connect as, and the time limits of each.

The limits are kept in the database, with the role: PgBouncer drops what a session sets
(docs/decisions/0005-time-limits-belong-to-database-roles.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import environ
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DEFAULT_DB_ALIAS, ConnectionHandler
from psycopg2 import sql

#: What a statement, a wait for a lock and a pause inside a transaction may take. A page must answer while its reader
#: waits; a worker may take longer. The pause ends the transaction of a process that froze, and with it its locks.
LIMITS: dict[str, dict[str, str]] = {
    "web": {
        "statement_timeout": "15s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "15s",
    },
    "worker": {
        "statement_timeout": "120s",
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "60s",
    },
}

#: libpq's: a server that can no longer be reached is noticed within a minute, instead of two hours.
KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def connection_settings(url: str, *, max_age: int = 0) -> dict[str, Any]:
    """Django's settings of a connection; `max_age` is in seconds. Options in the URL win over ours."""
    database: dict[str, Any] = environ.Env.db_url_config(url)
    return database | {
        "HOST": unquote(database.get("HOST") or ""),  # a socket's folder comes quoted
        "OPTIONS": KEEPALIVE | database.get("OPTIONS", {}),
        "CONN_MAX_AGE": max_age,
        "CONN_HEALTH_CHECKS": True,
        # They would outlive the transaction that PgBouncer gives them; nothing of ours reads by them.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "ATOMIC_REQUESTS": False,
    }


def limit_roles(databases: Mapping[str, dict[str, Any]], *, owner: str) -> None:
    """Give each role its time limits in its database, connected as that role: every role may set its own defaults.

    `databases` are the connection settings by the names of `LIMITS`. A role that owns the tables too gets none, for
    its migrations take longer. Sessions that are open already keep what they have.
    """
    by_user: dict[str, tuple[dict[str, Any], dict[str, str]]] = {}
    for name in ("worker", "web"):  # where one role does both, a page's limits hold
        if name in databases and databases[name]["USER"] != owner:
            by_user[databases[name]["USER"]] = databases[name], LIMITS[name]
    for database, limits in by_user.values():
        connection = ConnectionHandler({DEFAULT_DB_ALIAS: database})[DEFAULT_DB_ALIAS]
        try:
            limit_role(connection, limits)
        finally:
            connection.close()


def limit_role(connection: BaseDatabaseWrapper, limits: Mapping[str, str]) -> None:
    """Set the limits of the role that this connection belongs to, for its later sessions in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (database,) = cursor.fetchone()
        for name, value in limits.items():
            cursor.execute(
                sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET {} = {}").format(
                    sql.Identifier(database), sql.Identifier(name), sql.Literal(value)
                )
            )
