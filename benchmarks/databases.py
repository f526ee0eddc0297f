"""A database for a benchmark of pages, beside the configured one, and Django on it as in production."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2

OWN = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL", "")


@contextmanager
def kept_database(name: str, *, keep: bool) -> Iterator[tuple[str, bool]]:
    """The URL of a database beside the configured one, and whether it is new.

    It is dropped at the end, unless `keep` and nothing went wrong.
    """
    parts = urlsplit(OWN)
    name = f"{parts.path.strip('/')}_{name}"

    def run(sql: str) -> bool:
        connection = psycopg2.connect(OWN)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            found = cursor.rowcount > 0
        connection.close()
        return found

    is_new = not (keep and run(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))
    if is_new:
        run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        run(f'CREATE DATABASE "{name}"')
    is_whole = False
    try:
        yield urlunsplit(parts._replace(path=f"/{name}")), is_new
        is_whole = True
    finally:
        if not (keep and is_whole):
            run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def prepare_pages(address: str) -> None:
    """Start Django on a database as in production: templates are cached and queries are not logged."""
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
