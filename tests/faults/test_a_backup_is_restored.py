"""A backup restores every row, trigger and file, can be read with the private key alone, and shows what was changed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg2
import pyrage
import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.utils import ConnectionHandler
from django.utils import timezone
from psycopg2 import sql

from housing import grants
from housing.backups import drill as drilling
from housing.backups import places, programs
from housing.backups.contents import connect
from housing.backups.files import Folder
from housing.backups.making import UnableToBackUp, make_backup
from housing.backups.places import KEEP_AT_LEAST, UnusableBackup, backups_in, folder_name, rotate
from housing.backups.programs import UnableToFindProgram, find_program
from housing.backups.restoring import UnableToRestore, compare, read_identities, restore_backup
from housing.database_roles import connection_settings
from housing.heartbeats import BACKUP, BACKUP_DRILL, heartbeat_age
from partnerships.agreements.models import Document
from partnerships.agreements.services import add_document
from partnerships.plans.services import create_plan, publish_version
from tests.support.roles import callable_by_everybody, limited_role
from tests.world import make_world

#: A database for each process that runs tests.
RESTORED = f"cg_restored_by_a_test_{os.environ.get('PYTEST_XDIST_WORKER', '')}"


@pytest.fixture
def empty_database() -> Iterator[dict[str, Any]]:
    """A database beside the test database, dropped afterwards."""

    def execute(statement: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(RESTORED)))

    execute("DROP DATABASE IF EXISTS {}")
    execute("CREATE DATABASE {} TEMPLATE template0")
    yield {**connection.settings_dict, "NAME": RESTORED}
    execute("DROP DATABASE IF EXISTS {} WITH (FORCE)")


@pytest.fixture
def application_role(db: None) -> Iterator[str]:
    """A role without rights, for a restored database; dropped after it."""
    name = f"{RESTORED}_role"
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    yield name
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The operator's private key, which the server does not have."""
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "backup-key.txt"
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    return path


@pytest.fixture
def root(tmp_path: Path, settings: LazySettings, key: Path) -> Path:
    """The folder of backups; files, journal and keys of surveys have folders of their own beside it."""
    settings.BACKUP_ROOT = str(tmp_path / "backups")
    settings.BACKUP_RECIPIENTS = [str(read_identities(key)[0].to_public())]
    settings.BACKUP_KEEP_DAYS = 35
    settings.DATABASE_DRILL_URL = ""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.NEVER_IN_A_BACKUP = {"JOURNAL_ROOT": tmp_path / "journal"}
    return tmp_path / "backups"


def said_by(command: str, *words: str) -> str:
    output = StringIO()
    call_command(command, *words, stdout=output)
    return output.getvalue()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_backup_restores_every_row_trigger_and_file(
    application_role: str, empty_database: dict[str, Any], root: Path, key: Path, tmp_path: Path, settings: LazySettings
) -> None:
    world, now = make_world(), timezone.now()
    add_document(
        partnership=world.partnership,
        title="Memorandum",
        file=ContentFile(b"What we agreed.\n", name="memorandum.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=now,
    )
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=None,
        title="Quay",
        kind="delivery",
        audience="network",
        author=world.amina,
        now=now,
    )
    publish_version(
        plan=plan, author=world.amina, note="First.", content={"about": {"summary": "Homes by the water."}}, now=now
    )

    assert "and 1 files into" in said_by("backup")
    (folder,) = backups_in(root)
    assert heartbeat_age(BACKUP) is not None

    # Nothing in the folder can be read without the key.
    assert sorted(path.name for path in folder.iterdir()) == ["database.dump.age", "files.tar.age", "manifest.json"]
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    for word in (b"What we agreed", b"amina@larkhaven", b"Memorandum", b"memorandum.txt"):
        assert word not in content

    restored = tmp_path / "restored"
    where = {"database": empty_database, "files": Folder(restored), "outside": {}, "replace": False, "now": now}
    somebody_elses = [pyrage.x25519.Identity.generate()]
    with pytest.raises(UnableToRestore, match="No matching keys found"):
        restore_backup(folder, identities=somebody_elses, **where)
    manifest = restore_backup(folder, identities=read_identities(key), **where)

    assert manifest.contents.tables["plans_version"][0] == 1
    assert manifest.contents.tables["people_userevent"][0] >= 10
    document = Document.objects.get()
    assert (restored / document.file.name).read_bytes() == b"What we agreed.\n"
    with connect(empty_database) as other, other.cursor() as cursor:
        other.autocommit = True
        with pytest.raises(psycopg2.errors.RaiseException, match="History stands"):
            cursor.execute("DELETE FROM people_userevent")
        cursor.execute("UPDATE organisations_organisation SET name = 'Larkhaven Home' WHERE name = 'Larkhaven Homes'")

    # Backups hold no rights; `migrate`, which `restore` runs, leaves the owner's functions to the application alone.
    with patch.object(grants, "connections", ConnectionHandler({"default": empty_database})) as those:
        try:
            grants.grant(role=application_role)
            with those["default"].cursor() as cursor:
                assert grants.owner_functions()
                assert callable_by_everybody(cursor, grants.owner_functions()) == []
        finally:
            those["default"].close()

    # A changed row and a changed file are found, and what is there is not overwritten by accident.
    (restored / document.file.name).write_bytes(b"What they agreed.\n")
    hashes = {document.file.name: document.sha256}
    changed = compare(manifest, hashes=hashes, database=empty_database, files=Folder(restored))
    assert any(line.startswith("organisations_organisation: ") for line in changed)
    assert changed[-1].endswith("is not the file that was backed up.")
    with pytest.raises(UnableToRestore, match="contains files"):
        restore_backup(folder, identities=read_identities(key), **where)
    with pytest.raises(UnableToRestore, match="is not empty"):
        restore_backup(folder, identities=read_identities(key), **where | {"files": Folder(tmp_path / "another")})

    # Nor is it deleted for a backup that the key does not open.
    with pytest.raises(UnableToRestore, match="No matching keys found"):
        restore_backup(folder, identities=somebody_elses, **where | {"replace": True})
    assert (restored / document.file.name).read_bytes() == b"What they agreed.\n"
    with connect(empty_database) as other, other.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM plans_version")
        assert cursor.fetchone() == (1,)

    # The drill of one command makes a backup of its own, and empties its database before and after.
    settings.DATABASE_DRILL_URL = "postgres://of-this-test/"
    with patch("housing.management.commands.backup_drill.connection_settings", return_value=empty_database):
        assert "no difference" in said_by("backup_drill")
    assert heartbeat_age(BACKUP_DRILL) is not None
    with connect(empty_database) as other, other.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,), "the drill leaves nobody's data behind"

    # Without one, the owner must be able to make it; if not, one that is there is not dropped.
    with (
        limited_role("worker") as url,
        pytest.raises(UnableToRestore, match="may not create databases"),
        drilling._scratch({**connection_settings(url), "NAME": connection.settings_dict["NAME"]}, None),
    ):
        pass


def a_backup(folder: Path) -> Path:
    """A complete backup of nothing."""
    folder.mkdir(parents=True)
    (folder / places.DATABASE).write_bytes(b"sealed")
    a_backup_of_nothing(places.Part(places.DATABASE, places.hash_of(folder / places.DATABASE), 6)).write(folder)
    return folder


def a_backup_of_nothing(*parts: places.Part) -> places.Manifest:
    """What a manifest says about an empty database and no files."""
    return places.Manifest(
        made_at=timezone.now(),
        version="0.1.0",
        postgres=18,
        migrations={},
        parts=parts,
        contents=places.DatabaseContents({}, {}, {}),
        number_of_files=0,
    )


def test_a_backup_that_was_changed_or_cut_off_is_refused_before_anything_is_restored(tmp_path: Path) -> None:
    changed, cut_off = a_backup(tmp_path / "changed"), a_backup(tmp_path / "cut-off")
    (changed / places.DATABASE).write_bytes(b"Sealed")
    (cut_off / places.MANIFEST).unlink()

    for folder, words in ((changed, "has changed since the backup"), (cut_off, "is not a complete backup")):
        with pytest.raises(UnusableBackup, match=words):
            restore_backup(
                folder,
                identities=[],
                database={"NAME": "nowhere"},
                files=Folder(tmp_path),
                outside={},
                replace=True,
                now=timezone.now(),
            )


def test_a_restore_does_not_rename_the_folder_that_the_journal_is_in(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "identities": [],
        "database": {"NAME": "nowhere"},
        "replace": True,
        "now": timezone.now(),
    }

    with pytest.raises(UnableToRestore, match=r"JOURNAL_ROOT .* is within MEDIA_ROOT"):
        restore_backup(
            a_backup(tmp_path / "backup"),
            files=Folder(tmp_path / "media"),
            outside={"JOURNAL_ROOT": tmp_path / "media" / "journal"},
            **arguments,
        )


@pytest.mark.django_db
def test_the_drill_does_not_empty_the_instances_own_database_under_another_address(root: Path, tmp_path: Path) -> None:
    database = connection.settings_dict
    another_address = {**database, "HOST": f"{database['HOST']}/."}

    with (
        patch.object(drilling, "empty"),  # should it come to that
        patch.object(drilling, "restore_backup", side_effect=AssertionError),
        pytest.raises(UnableToRestore, match="is the instance's own database"),
    ):
        drilling.drill(
            database=database,
            scratch=another_address,
            files=Folder(tmp_path / "media"),
            outside={},
            now=timezone.now(),
            folder=root,
        )


@pytest.mark.django_db
def test_without_a_database_of_its_own_the_drill_makes_one_and_drops_it() -> None:
    database = connection.settings_dict
    name = f"{database['NAME']}_drill"
    with connect(database) as other, other.cursor() as cursor:
        other.autocommit = True
        # As a drill that was cut off leaves it.
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))

        with drilling._scratch(database, None) as scratch, connect(scratch) as drilled, drilled.cursor() as inside:
            inside.execute("SELECT current_database()")
            assert inside.fetchone() == (name,)

        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name])
        assert cursor.fetchone() == (0,)


def test_operators_are_told_when_the_database_is_away_and_when_old_backups_stay(root: Path) -> None:
    away = psycopg2.OperationalError("connection refused\nDETAIL: Key (email)=(amina@larkhaven.example)")
    folder_and_manifest = (root / "2026-11-30T021500Z", a_backup_of_nothing())

    with (
        patch("housing.management.commands.backup.make_backup", side_effect=away),
        patch("housing.management.commands.backup.alert_operators") as alert,
        pytest.raises(CommandError, match="connection refused") as raised,
    ):
        call_command("backup")
    assert alert.call_args.args[0] == "The backup failed"
    assert "amina" not in str(raised.value)

    with (
        patch("housing.management.commands.backup.make_backup", return_value=folder_and_manifest),
        patch("housing.management.commands.backup.has_heartbeats", return_value=True),
        patch("housing.management.commands.backup.record_heartbeat") as recorded,
        patch("housing.management.commands.backup.rotate", side_effect=PermissionError("locked")),
        patch("housing.management.commands.backup.alert_operators") as alert,
        pytest.raises(CommandError, match="The new backup is complete"),
    ):
        call_command("backup")
    assert alert.call_args.args[0] == "Old backups could not be deleted"
    recorded.assert_called_once_with(BACKUP)


def test_a_drill_where_the_private_key_is_needs_no_tables_of_ours(root: Path, key: Path) -> None:
    with (
        patch("housing.management.commands.backup_drill.drill", return_value=a_backup_of_nothing()),
        patch("housing.management.commands.backup_drill.record_heartbeat") as recorded,
    ):
        assert "no difference" in said_by("backup_drill", str(root), "--identity", str(key))

    recorded.assert_not_called()


def test_old_backups_are_deleted_but_never_the_newest_three(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 30, 2, 15, tzinfo=dt.UTC)
    ages = (100, 90, 60, 36, 2)
    backups = [a_backup(tmp_path / folder_name(now - dt.timedelta(days=days))) for days in ages]
    (tmp_path / f"{folder_name(now - dt.timedelta(days=3))}.unfinished").mkdir()

    rotate(tmp_path, keep=dt.timedelta(days=35), now=now)

    assert backups_in(tmp_path) == backups[-KEEP_AT_LEAST:]
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_backup_without_a_key_or_with_the_journal_in_it_is_refused(tmp_path: Path, root: Path) -> None:
    arguments: dict[str, Any] = {
        "root": root,
        "database": {"NAME": "x"},
        "files": Folder(tmp_path),
        "now": timezone.now(),
    }
    public_key = str(pyrage.x25519.Identity.generate().to_public())

    with pytest.raises(UnableToBackUp, match="BACKUP_RECIPIENTS is not set"):
        make_backup(recipients=[], outside={}, **arguments)
    with pytest.raises(UnableToBackUp, match="must be public keys of age"):
        make_backup(recipients=["age1nobody"], outside={}, **arguments)
    with pytest.raises(UnableToBackUp, match="JOURNAL_ROOT"):
        make_backup(recipients=[public_key], outside={"JOURNAL_ROOT": tmp_path / "journal"}, **arguments)
    (tmp_path / "on-another-disk").symlink_to("/mnt")
    with pytest.raises(UnableToBackUp, match="is a link, so a backup would miss the files it leads to"):
        make_backup(recipients=[public_key], outside={}, **arguments)


def test_a_restore_needs_held_emails(settings: LazySettings, tmp_path: Path) -> None:
    settings.EMAILS_HELD = False

    with pytest.raises(CommandError, match="Set EMAILS_HELD=1 everywhere first"):
        call_command("restore", str(tmp_path), "--identity", str(tmp_path / "key"))


def test_a_backup_of_a_later_version_is_not_restored_with_this_one(
    settings: LazySettings, tmp_path: Path, key: Path
) -> None:
    settings.EMAILS_HELD = True
    folder = a_backup(tmp_path / "later")
    dataclasses.replace(a_backup_of_nothing(), version="9.0.0", migrations={"plans": "9999_later"}).write(folder)

    with pytest.raises(CommandError, match=r"from version 9\.0\.0.* or a later one"):
        call_command("restore", str(folder), "--identity", str(key), "--replace")


def test_a_restore_has_the_journal_applied_from_before_its_backup(
    settings: LazySettings, tmp_path: Path, key: Path
) -> None:
    settings.EMAILS_HELD = True
    folder = a_backup(tmp_path / "backup")
    manifest = places.read_manifest(folder)
    since = (manifest.made_at - dt.timedelta(minutes=5)).isoformat(timespec="seconds")

    with (
        patch("housing.management.commands.restore.restore_backup", return_value=manifest),
        patch("housing.management.commands.restore.Command._run") as ran,
    ):
        output = said_by("restore", str(folder), "--identity", str(key))
        said_by("restore", str(folder), "--identity", str(key), "--apply-journal")

    assert f"`manage.py after_restore --since {since}`" in output
    assert ran.call_args.args == ("after_restore", "--since", since)


def test_only_a_program_of_the_servers_version_is_used(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []
    for major in (15, 18, 17):
        folders.append(tmp_path / str(major))
        folders[-1].mkdir()
        program = folders[-1] / "pg_dump"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {major}.2'\n")
        program.chmod(0o755)
    settings.POSTGRES_PROGRAMS = ""
    monkeypatch.setattr(programs, "_folders", lambda: iter(folders))

    assert find_program("pg_dump", server=17) == tmp_path / "17" / "pg_dump"
    assert find_program("pg_dump", server=18) == tmp_path / "18" / "pg_dump"
    with pytest.raises(UnableToFindProgram, match="Install postgresql-client-16"):
        find_program("pg_dump", server=16)
