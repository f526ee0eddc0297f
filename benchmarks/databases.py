"""Create a separate database for a benchmark of pages, start Django on it as in production, and time PostgreSQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

OWN = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL", "")
#: The comment that PostgreSQL stores with a filled database.
_FILLED = "filled for a benchmark"


@dataclass
class BenchmarkDatabase:
    """A database on the configured server, and whether an earlier run has already filled it."""

    name: str
    is_filled: bool

    @property
    def url(self) -> str:
        """Return the database's address."""
        return urlunsplit(urlsplit(OWN)._replace(path=f"/{self.name}"))

    def mark_filled(self) -> None:
        """Record that the database is filled. It can be kept from now on, even if the measurement fails."""
        _run(f"COMMENT ON DATABASE \"{self.name}\" IS '{_FILLED}'")
        self.is_filled = True


@contextmanager
def kept_database(name: str, *, keep: bool) -> Iterator[BenchmarkDatabase]:
    """Yield a database on the configured server.

    It is dropped at the end, unless it is filled and `keep` is true. A later run then uses it again.
    """
    name = f"{urlsplit(OWN).path.strip('/')}_{name}"
    comment = "shobj_description(oid, 'pg_database')"
    find_filled = f"SELECT 1 FROM pg_database WHERE datname = '{name}' AND {comment} = '{_FILLED}'"
    database = BenchmarkDatabase(name, is_filled=keep and _run(find_filled))
    if not database.is_filled:
        _run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        _run(f'CREATE DATABASE "{name}"')
    try:
        yield database
    finally:
        if not (keep and database.is_filled):
            _run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _run(sql: str) -> bool:
    """Run a statement in the configured database, and return whether it found a row."""
    connection = psycopg2.connect(OWN)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql)
        is_filled = cursor.rowcount > 0
    connection.close()
    return is_filled


def prepare_pages(address: str) -> None:
    """Start Django on a database as in production, where templates are cached and queries are not logged."""
    os.environ |= {
        "DATABASE_URL": address,
        "DATABASE_ROLE": "web",
        "DJANGO_SETTINGS_MODULE": "housing.settings",
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "LOG_LEVEL": "ERROR",
    }
    os.environ.pop("DATABASE_OWNER_URL", None)
    import django
    from django.conf import settings

    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"


def postgres_process() -> int:
    """Return the id of PostgreSQL's process for Django's connection.

    Parallel workers are turned off, so that this process does all the work.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def seconds_used(process_id: int) -> float:
    """Return the processor time that the main thread of a process has used, in seconds.

    Linux counts it here in nanoseconds, but only in steps of 10 ms in the file that psutil reads.
    """
    return int(Path(f"/proc/{process_id}/schedstat").read_text().split()[0]) / 1e9
