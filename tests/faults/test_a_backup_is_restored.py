"""A backup restores every row, trigger and file, can be read with the private key alone, and shows what was changed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
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
from housing.backups import places
from housing.backups.contents import connect
from housing.backups.files import Folder
from housing.backups.places import UnusableBackup, backups_in
from housing.backups.restoring import UnableToRestore, compare, read_identities, restore_backup
from housing.database_roles import connection_settings
from housing.heartbeats import BACKUP, BACKUP_DRILL, heartbeat_age
from partnerships.agreements.models import Document
from partnerships.agreements.services import add_document
from partnerships.plans.services import create_plan, publish_version
from tests.faults.backups import backup_root, key_file, manifest_of_nothing, output_of, restore, write_backup_of_nothing
from tests.support.roles import callable_by_everybody, limited_role
from tests.world import make_world

__all__ = ["backup_root", "key_file"]

#: A database for each process that runs tests.
RESTORED = f"cg_restored_by_a_test_{os.environ.get('PYTEST_XDIST_WORKER', '')}"


@pytest.fixture
def empty_database() -> Iterator[dict[str, Any]]:
    """Create a database beside the test database, and drop it afterwards."""

    def execute(statement: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(RESTORED)))

    execute("DROP DATABASE IF EXISTS {}")
    execute("CREATE DATABASE {} TEMPLATE template0")
    yield {**connection.settings_dict, "NAME": RESTORED}
    # FORCE is left out, because it may not end the server's own autovacuum. A plain DROP ends autovacuum by itself.
    execute("DROP DATABASE IF EXISTS {}")


@pytest.fixture
def application_role(db: None) -> Iterator[str]:
    """Create a role without rights for a restored database, and drop it afterwards."""
    name = f"{RESTORED}_role"
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    yield name
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def backup(transactional_db: None, backup_root: Path) -> Path:
    """Return a backup of the world with one document and one published version."""
    world = make_world()
    now = timezone.now()
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

    assert "and 1 files into" in output_of("backup")
    [folder] = backups_in(backup_root)
    return folder


@dataclass(frozen=True)
class Restored:
    """A backup that was restored into another database and another folder of files."""

    backup: Path
    manifest: places.Manifest
    database: dict[str, Any]
    files: Path

    @property
    def document(self) -> Path:
        """Return the restored file of the only document."""
        return self.files / Document.objects.get().file.name

    def query(self, statement: str) -> Any:
        """Return the first value of a query in the restored database."""
        with connect(self.database) as other, other.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]

    def execute(self, statement: str) -> None:
        """Execute a statement in the restored database."""
        with connect(self.database) as other, other.cursor() as cursor:
            other.autocommit = True
            cursor.execute(statement)


@pytest.fixture
def restored(backup: Path, key_file: Path, empty_database: dict[str, Any], tmp_path: Path) -> Restored:
    """Restore the backup into an empty database and an empty folder."""
    files = tmp_path / "restored"
    manifest = restore(backup, identities=read_identities(key_file), database=empty_database, files=files)
    return Restored(backup, manifest, empty_database, files)


@pytest.mark.slow
def test_nothing_in_a_backup_can_be_read_without_its_key(
    backup: Path, empty_database: dict[str, Any], tmp_path: Path
) -> None:
    assert heartbeat_age(BACKUP) is not None
    assert sorted(path.name for path in backup.iterdir()) == ["database.dump.age", "files.tar.age", "manifest.json"]

    content = b"".join(path.read_bytes() for path in backup.iterdir())

    for word in (b"What we agreed", b"amina@larkhaven", b"Memorandum", b"memorandum.txt"):
        assert word not in content
    another_key = pyrage.x25519.Identity.generate()
    with pytest.raises(UnableToRestore, match="No matching keys found"):
        restore(backup, identities=[another_key], database=empty_database, files=tmp_path / "restored")


@pytest.mark.slow
def test_a_backup_restores_every_row_trigger_and_file(restored: Restored) -> None:
    assert restored.manifest.contents.tables["plans_version"][0] == 1
    assert restored.manifest.contents.tables["people_userevent"][0] >= 10
    assert restored.document.read_bytes() == b"What we agreed.\n"
    with pytest.raises(psycopg2.errors.RaiseException, match="History stands"):
        restored.execute("DELETE FROM people_userevent")


@pytest.mark.slow
def test_after_a_restore_only_the_application_may_call_the_owners_functions(
    application_role: str, restored: Restored
) -> None:
    """A backup contains no rights. `migrate`, which `restore` runs, grants them again.

    The role comes first, because it can be dropped only after the database that grants it rights.
    """
    with patch.object(grants, "connections", ConnectionHandler({"default": restored.database})) as connections:
        try:
            grants.grant(role=application_role)

            with connections["default"].cursor() as cursor:
                assert grants.owner_functions()
                assert callable_by_everybody(cursor, grants.owner_functions()) == []
        finally:
            connections["default"].close()


@pytest.mark.slow
def test_a_row_and_a_file_that_changed_since_the_backup_are_listed(restored: Restored) -> None:
    document = Document.objects.get()
    restored.execute("UPDATE organisations_organisation SET name = 'Larkhaven Home' WHERE name = 'Larkhaven Homes'")
    restored.document.write_bytes(b"What they agreed.\n")

    differences = compare(
        restored.manifest,
        hashes={document.file.name: document.sha256},
        database=restored.database,
        files=Folder(restored.files),
    )

    assert any(line.startswith("organisations_organisation: ") for line in differences)
    assert differences[-1].endswith("is not the file that was backed up.")


@pytest.mark.slow
def test_a_restore_overwrites_no_files_and_no_database_by_accident(
    restored: Restored, key_file: Path, tmp_path: Path
) -> None:
    identities = read_identities(key_file)

    with pytest.raises(UnableToRestore, match="contains files"):
        restore(restored.backup, identities=identities, database=restored.database, files=restored.files)
    with pytest.raises(UnableToRestore, match="is not empty"):
        restore(restored.backup, identities=identities, database=restored.database, files=tmp_path / "another")


@pytest.mark.slow
def test_a_restore_deletes_nothing_for_a_backup_that_the_key_does_not_open(restored: Restored) -> None:
    another_key = pyrage.x25519.Identity.generate()

    with pytest.raises(UnableToRestore, match="No matching keys found"):
        restore(
            restored.backup,
            identities=[another_key],
            database=restored.database,
            files=restored.files,
            replace=True,
        )

    assert restored.document.read_bytes() == b"What we agreed.\n"
    assert restored.query("SELECT count(*) FROM plans_version") == 1


@pytest.mark.slow
def test_the_drill_makes_a_backup_of_its_own_and_empties_its_database(
    restored: Restored, settings: LazySettings
) -> None:
    settings.DATABASE_DRILL_URL = "postgres://of-this-test/"

    with patch("housing.management.commands.backup_drill.connection_settings", return_value=restored.database):
        assert "no difference" in output_of("backup_drill")

    assert heartbeat_age(BACKUP_DRILL) is not None
    tables = restored.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    assert tables == 0, "The drill leaves nobody's data behind."


@pytest.mark.django_db(transaction=True)
def test_the_drill_says_that_the_owner_may_not_create_its_database(tmp_path: Path) -> None:
    with limited_role("worker") as url, pytest.raises(UnableToRestore, match="may not create databases"):
        drilling.drill(
            database={**connection_settings(url), "NAME": connection.settings_dict["NAME"]},
            scratch=None,
            files=Folder(tmp_path / "media"),
            outside={},
            now=timezone.now(),
        )


def test_a_backup_that_was_changed_is_refused_before_anything_is_restored(tmp_path: Path) -> None:
    folder = write_backup_of_nothing(tmp_path / "changed")
    (folder / places.DATABASE).write_bytes(b"Sealed")

    with pytest.raises(UnusableBackup, match="has changed since the backup"):
        restore(folder, identities=[], database={"NAME": "nowhere"}, files=tmp_path, replace=True)


def test_a_backup_that_was_cut_off_is_refused_before_anything_is_restored(tmp_path: Path) -> None:
    folder = write_backup_of_nothing(tmp_path / "cut-off")
    (folder / places.MANIFEST).unlink()

    with pytest.raises(UnusableBackup, match="is not a complete backup"):
        restore(folder, identities=[], database={"NAME": "nowhere"}, files=tmp_path, replace=True)


def test_a_restore_does_not_rename_the_folder_that_the_journal_is_in(tmp_path: Path) -> None:
    folder = write_backup_of_nothing(tmp_path / "backup")

    with pytest.raises(UnableToRestore, match=r"JOURNAL_ROOT .* is within MEDIA_ROOT"):
        restore_backup(
            folder,
            identities=[],
            database={"NAME": "nowhere"},
            files=Folder(tmp_path / "media"),
            outside={"JOURNAL_ROOT": tmp_path / "media" / "journal"},
            replace=True,
            now=timezone.now(),
        )


@pytest.mark.django_db
def test_the_drill_does_not_empty_the_instances_own_database_under_another_address(
    backup_root: Path, tmp_path: Path
) -> None:
    database = connection.settings_dict
    another_address = {**database, "HOST": f"{database['HOST']}/."}

    with (
        patch.object(drilling, "empty"),  # so that a failure of this test empties nothing
        patch.object(drilling, "restore_backup", side_effect=AssertionError),
        pytest.raises(UnableToRestore, match="is the instance's own database"),
    ):
        drilling.drill(
            database=database,
            scratch=another_address,
            files=Folder(tmp_path / "media"),
            outside={},
            now=timezone.now(),
            folder=backup_root,
        )


@pytest.fixture
def cursor_outside_transactions(db: None) -> Iterator[Any]:
    """Provide a cursor of another connection, on which databases can be created."""
    with connect(connection.settings_dict) as other_connection, other_connection.cursor() as cursor:
        other_connection.autocommit = True
        yield cursor


@pytest.fixture
def database_of_interrupted_drill(cursor_outside_transactions: Any) -> str:
    """Create the database that an interrupted drill has left, and return its name."""
    name = f"{connection.settings_dict['NAME']}_drill"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    cursor_outside_transactions.execute(statement)
    return name


def test_without_a_database_of_its_own_the_drill_makes_one_and_drops_it(
    backup_root: Path, tmp_path: Path, database_of_interrupted_drill: str, cursor_outside_transactions: Any
) -> None:
    names_of_targets = []

    def restore_nothing(folder: Path, *, database: dict[str, Any], **arguments: Any) -> None:
        with connect(database) as target, target.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            names_of_targets.append(cursor.fetchone()[0])

    with patch.object(drilling, "restore_backup", side_effect=restore_nothing):
        drilling.drill(
            database=connection.settings_dict,
            scratch=None,
            files=Folder(tmp_path / "media"),
            outside={},
            now=timezone.now(),
            folder=backup_root,
        )

    cursor_outside_transactions.execute(
        "SELECT count(*) FROM pg_database WHERE datname = %s", [database_of_interrupted_drill]
    )
    (count_after,) = cursor_outside_transactions.fetchone()
    assert names_of_targets == [database_of_interrupted_drill]
    assert count_after == 0


def test_a_drill_where_the_private_key_is_needs_no_tables_of_ours(backup_root: Path, key_file: Path) -> None:
    with (
        patch("housing.management.commands.backup_drill.drill", return_value=manifest_of_nothing()),
        patch("housing.management.commands.backup_drill.record_heartbeat") as record_heartbeat,
    ):
        assert "no difference" in output_of("backup_drill", str(backup_root), "--identity", str(key_file))

    record_heartbeat.assert_not_called()


def test_a_restore_needs_held_emails(settings: LazySettings, tmp_path: Path) -> None:
    settings.EMAILS_HELD = False

    with pytest.raises(CommandError, match="Set EMAILS_HELD=1 everywhere first"):
        call_command("restore", str(tmp_path), "--identity", str(tmp_path / "key"))


def test_a_backup_of_a_later_version_is_not_restored_with_this_one(
    settings: LazySettings, tmp_path: Path, key_file: Path
) -> None:
    settings.EMAILS_HELD = True
    folder = write_backup_of_nothing(tmp_path / "later")
    later_manifest = dataclasses.replace(manifest_of_nothing(), version="9.0.0", migrations={"plans": "9999_later"})
    later_manifest.write(folder)

    with pytest.raises(CommandError, match=r"from version 9\.0\.0.* or a later one"):
        call_command("restore", str(folder), "--identity", str(key_file), "--replace")


def test_a_restore_has_the_journal_applied_from_before_its_backup(
    settings: LazySettings, tmp_path: Path, key_file: Path
) -> None:
    settings.EMAILS_HELD = True
    folder = write_backup_of_nothing(tmp_path / "backup")
    manifest = places.read_manifest(folder)
    since = (manifest.made_at - dt.timedelta(minutes=5)).isoformat(timespec="seconds")

    with (
        patch("housing.management.commands.restore.restore_backup", return_value=manifest),
        patch("housing.management.commands.restore.Command._run") as run_command,
    ):
        output = output_of("restore", str(folder), "--identity", str(key_file))
        output_of("restore", str(folder), "--identity", str(key_file), "--apply-journal")

    assert f"`manage.py after_restore --since {since}`" in output
    assert run_command.call_args.args == ("after_restore", "--since", since)
