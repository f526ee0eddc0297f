"""Django's `migrate`, which stops waiting for a lock after five seconds, and tries again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import errorcodes

from housing.database_roles import limit_roles
from housing.migration_state import rendering_less


class Command(migrate.Command):
    """Migrate without making other queries wait long.

    While a migration waits for a table, all later queries of the table wait behind it. So the command lets these
    queries pass and tries again. A migration is applied completely or not at all, and the next try continues after
    the last applied migration.
    """

    LOCK_TIMEOUT = "5s"
    PAUSE_SECONDS = 5.0
    TRIES = 12

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then set the time limits of the web and worker roles."""
        connection = connections[options["database"]]
        for attempt in range(1, self.TRIES + 1):
            try:
                with self._limits(connection), rendering_less():
                    super().handle(*args, **options)
                break
            except OperationalError as error:
                is_locked = getattr(error.__cause__, "pgcode", "") == errorcodes.LOCK_NOT_AVAILABLE
                if not is_locked or attempt == self.TRIES:
                    raise
                self.stderr.write(f"A table is in use. Trying again in {self.PAUSE_SECONDS:g} s.")
                time.sleep(self.PAUSE_SECONDS)

        if settings.AS_OWNER and options["database"] == DEFAULT_DB_ALIAS:
            limit_roles(settings.ROLE_DATABASES, owner=connection.settings_dict["USER"])

    @contextmanager
    def _limits(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Set the lock timeout for this session. It is not pooled, because the owner does not connect by PgBouncer."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [self.LOCK_TIMEOUT])
        try:
            yield
        finally:
            if connection.connection is not None and connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout")
