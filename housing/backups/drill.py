"""Test a restore in a separate database and folder, which are deleted afterwards."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pyrage
from psycopg2 import sql

from housing.backups.contents import connect
from housing.backups.files import Files, Folder
from housing.backups.making import make_backup
from housing.backups.places import Manifest
from housing.backups.restoring import UnableToRestore, empty, restore_backup


def drill(
    *,
    database: Mapping[str, Any],
    scratch: Mapping[str, Any] | None,
    files: Files,
    outside: Mapping[str, Path],
    now: dt.datetime,
    folder: Path | None = None,
    identities: list[pyrage.x25519.Identity] | None = None,
) -> Manifest:
    """Restore a backup into a separate database, and compare every row and file with its manifest.

    Without `folder`, a new backup is made for a temporary key, because a server cannot read its own backups. `scratch`
    is the database to restore into, which is emptied before and after. Without `scratch`, a database is created on the
    server of `database` and dropped. Raises `UnusableBackup`, `UnableToBackUp` and `UnableToRestore`.
    """
    with tempfile.TemporaryDirectory(prefix="cg-drill-") as temporary, _scratch(database, scratch) as target:
        if folder is None:
            key = pyrage.x25519.Identity.generate()
            identities = [key]
            folder, _ = make_backup(
                root=Path(temporary) / "backups",
                recipients=[str(key.to_public())],
                database=database,
                files=files,
                outside=outside,
                now=now,
            )
        return restore_backup(
            folder,
            identities=identities or [],
            database=target,
            files=Folder(Path(temporary) / "files"),
            outside=outside,
            replace=scratch is not None,
            now=now,
        )


@contextmanager
def _scratch(database: Mapping[str, Any], scratch: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """Provide the database to restore into.

    It is emptied or dropped afterwards, so that no personal data remain in it.
    """
    if scratch is not None:
        if _identity(scratch) == _identity(database):
            raise UnableToRestore(
                "DATABASE_DRILL_URL is the instance's own database, which the drill would empty. Name another database."
            )
        try:
            yield scratch
        finally:
            empty(scratch)
        return

    name = f"{database['NAME']}_drill"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    with connect(database) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        try:
            cursor.execute(create)
        except psycopg2.errors.DuplicateDatabase:  # an interrupted drill left it behind
            _drop(cursor, name)
            cursor.execute(create)
        # PostgreSQL checks the right to create first, so a database that an administrator created under this name is
        # never dropped.
        except psycopg2.errors.InsufficientPrivilege:
            raise UnableToRestore(
                f"The role {database['USER']} may not create databases. Ask your database administrator to "
                f"run CREATE DATABASE {name} OWNER {database['USER']}, and set DATABASE_DRILL_URL to that database."
            ) from None
        try:
            yield {**database, "NAME": name}
        finally:
            _drop(cursor, name)


def _drop(cursor: psycopg2.extensions.cursor, name: str) -> None:
    """Drop a database, even if sessions of an interrupted drill still use it.

    The first try is without FORCE, and waits until an autovacuum of the database has ended. PostgreSQL lets only
    superusers end an autovacuum by FORCE.
    """
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        cursor.execute(drop)
    except psycopg2.errors.ObjectInUse:
        cursor.execute(drop + sql.SQL(" WITH (FORCE)"))


def _identity(database: Mapping[str, Any]) -> tuple[str, int]:
    """Return the server's start time and the database's id, which are the same whatever host name leads to it."""
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM pg_postmaster_start_time())::text, oid::int FROM pg_database"
            " WHERE datname = current_database()"
        )
        started_at, database_id = cursor.fetchone()
    return started_at, database_id
