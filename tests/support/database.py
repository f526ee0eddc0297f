"""A migrated database to copy, which is much faster than migrating.

`python -m tests.support.database` makes it before the tests do.
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

#: Copies kept for earlier sets of migrations, so that switching branches stays fast.
KEPT = 4
_PREFIX = "cg_template_"


def migrations_digest() -> str:
    """A short hash of every migration of every installed app, of what is installed after them, and of the month.

    Tables have parts for some months.
    """
    digest = hashlib.sha256(f"{timezone.now():%Y-%m}".encode())
    digest.update((BASE_DIR / "housing" / "history.py").read_bytes())  # which reads models: no import here
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for file in sorted(Path(config.path, "migrations").glob("*.py")):
            digest.update(f"{config.label}/{file.name}".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def template_database() -> str:
    """The name of a database with all migrations and no rows.

    Created if missing, by one process at a time.
    """
    connection = connections["default"]
    name = _PREFIX + migrations_digest()
    original = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [_PREFIX])
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", [_PREFIX + "%"])
        present = [row[0] for row in cursor.fetchall()]
        if name not in present:
            for old in present[: max(0, len(present) - KEPT + 1)]:
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(old)))
            making = f"{name}_making"
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(making)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
            connection.close()
            connection.settings_dict["NAME"] = making
            try:
                call_command("migrate", verbosity=0, interactive=False)
            finally:
                connection.close()
                connection.settings_dict["NAME"] = original
            cursor.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
            )
        cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [_PREFIX])
    return name


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    django.setup()
    template_database()
