"""Tries a restore: into a database and a folder of its own, which are deleted again."""

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
    """Restore a backup beside the database, and compare every row and file with its manifest.

    Without a `folder`, a backup is made now, for a key that exists only here: a server cannot read its own backups.
    `scratch` is the database to restore into, which is emptied before and after; without one, a database is created
    beside `database` and dropped. Raises `UnusableBackup`, `UnableToBackUp` and `UnableToRestore`.
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
def _scratch(database: Mapping[str, Any], given: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """The database to restore into.

    Afterwards nothing of anybody is left in it.
    """
    if given is not None:
        if _which(given) == _which(database):
            raise UnableToRestore("DATABASE_DRILL_URL is the database itself, which the drill would empty.")
        try:
            yield given
        finally:
            empty(given)
        return
    name = f"{database['NAME']}_drill"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    with connect(database) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        try:
            cursor.execute(create)
        except psycopg2.errors.DuplicateDatabase:  # a drill that was cut off left it
            _drop(cursor, name)
            cursor.execute(create)
        except psycopg2.errors.InsufficientPrivilege:  # which is found first: the database that was made for it stays
            raise UnableToRestore(
                f"The role {database['USER']} may not create databases. Let your database administrator run CREATE "
                f"DATABASE {name} OWNER {database['USER']}, and set DATABASE_DRILL_URL to it."
            ) from None
        try:
            yield {**database, "NAME": name}
        finally:
            _drop(cursor, name)


def _drop(cursor: psycopg2.extensions.cursor, name: str) -> None:
    """Drop a database, together with the sessions that a drill that was cut off may have left.

    Without FORCE first: that ends an autovacuum of it. With FORCE, PostgreSQL refuses to do so for anybody but
    superusers.
    """
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        cursor.execute(drop)
    except psycopg2.errors.ObjectInUse:
        cursor.execute(drop + sql.SQL(" WITH (FORCE)"))


def _which(database: Mapping[str, Any]) -> tuple[str, int]:
    """What only this database on this server has, by whatever address it is reached: names of hosts may differ."""
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM pg_postmaster_start_time())::text, oid::int FROM pg_database"
            " WHERE datname = current_database()"
        )
        started, number = cursor.fetchone()
    return started, number
