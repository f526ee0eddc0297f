"""A migrated database for tests to copy, which is much faster than migrating.

`python -m tests.support.database` creates it before the tests do.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from psycopg2 import sql

from housing.environment import BASE_DIR

#: The number of databases for earlier sets of migrations that are not dropped, so that switching branches stays fast.
KEPT = 4
_PREFIX = "cg_template_"


def migrations_digest() -> str:
    """Return a short hash of everything that the database depends on.

    That is every migration of every installed app, the functions that are installed after these, and the month, because
    some tables have partitions for certain months.
    """
    digest = hashlib.sha256(f"{timezone.now():%Y-%m}".encode())
    digest.update((BASE_DIR / "housing" / "history.py").read_bytes())  # which reads models: no import here
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for file in sorted(Path(config.path, "migrations").glob("*.py")):
            digest.update(f"{config.label}/{file.name}".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def template_database() -> str:
    """Return the name of a database with all migrations and no rows.

    If it is missing, it is created, by one process at a time.
    """
    connection = connections["default"]
    name = _PREFIX + migrations_digest()
    original = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [_PREFIX])
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", [_PREFIX + "%"])
        existing_names = [row[0] for row in cursor.fetchall()]
        if name not in existing_names:
            for old_name in existing_names[: max(0, len(existing_names) - KEPT + 1)]:
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(old_name)))
            unfinished_name = f"{name}_making"
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(unfinished_name)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished_name)))
            connection.close()
            connection.settings_dict["NAME"] = unfinished_name
            try:
                call_command("migrate", verbosity=0, interactive=False)
            finally:
                connection.close()
                connection.settings_dict["NAME"] = original
            cursor.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished_name), sql.Identifier(name))
            )
        cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [_PREFIX])
    return name


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    django.setup()
    template_database()
