"""Connection settings and time limits of the database roles that processes use.

The limits are set for the role in the database, because PgBouncer drops the settings of a session
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

#: A page must answer while its reader waits, but a worker may take longer. The idle limit ends the transaction of a
#: frozen process, which releases its locks.
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

#: Options of libpq. With these, an unreachable server is noticed within half a minute instead of two hours, and within
#: ten seconds if a page or a job sends it a query. So pages work again within 30 s of a failover.
KEEPALIVE = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def connection_settings(url: str, *, max_age: int = 0) -> dict[str, Any]:
    """Return Django's settings for the database with this URL. Options in the URL take precedence.

    An idle connection is closed after `max_age` seconds.
    """
    database: dict[str, Any] = environ.Env.db_url_config(url)
    return database | {
        "HOST": unquote(database.get("HOST") or ""),  # the path of a socket is quoted
        "OPTIONS": KEEPALIVE | database.get("OPTIONS", {}),
        "CONN_MAX_AGE": max_age,
        "CONN_HEALTH_CHECKS": True,
        # These cursors do not work through PgBouncer's transaction pooling, and none of our code needs them.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "ATOMIC_REQUESTS": False,
    }


#: Options of libpq for a standby. Its timeouts are shorter, because the primary can be used instead.
_STANDBY_OPTIONS = {"connect_timeout": 2, "keepalives_idle": 5, "keepalives_interval": 2, "tcp_user_timeout": 5_000}


def standby_settings(url: str, *, max_age: int) -> dict[str, Any]:
    """Return Django's settings for the standby with this URL. Options in the URL take precedence.

    Tests create no database for the standby, and use the primary's instead.
    """
    url_options: dict[str, Any] = environ.Env.db_url_config(url).get("OPTIONS", {})
    database = connection_settings(url, max_age=max_age)
    options = database["OPTIONS"] | _STANDBY_OPTIONS | url_options
    return database | {"OPTIONS": options, "TEST": {"MIRROR": DEFAULT_DB_ALIAS}}


def limit_roles(databases: Mapping[str, dict[str, Any]], *, owner: str) -> None:
    """Set the time limits of each role, connected as that role.

    `databases` are connection settings by the keys of `LIMITS`. The owner of the tables gets no limits, because
    migrations take longer. Open sessions keep their present limits.
    """
    for name in ("worker", "web"):  # web comes last, so that one role for both gets the limits of pages
        if name not in databases or databases[name]["USER"] == owner:
            continue
        connection = ConnectionHandler({DEFAULT_DB_ALIAS: databases[name]})[DEFAULT_DB_ALIAS]
        try:
            limit_role(connection, LIMITS[name])
        finally:
            connection.close()


def limit_role(connection: BaseDatabaseWrapper, limits: Mapping[str, str]) -> None:
    """Set the limits of the connection's role for its future sessions in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (database,) = cursor.fetchone()
        for name, value in limits.items():
            cursor.execute(
                sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET {} = {}").format(
                    sql.Identifier(database), sql.Identifier(name), sql.Literal(value)
                )
            )
