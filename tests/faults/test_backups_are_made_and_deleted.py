"""A backup is made with a public key and the server's own program, and only old backups are deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock, patch

import psycopg2
import pyrage
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from housing.backups import programs
from housing.backups.files import Folder
from housing.backups.making import UnableToBackUp, make_backup
from housing.backups.places import KEEP_AT_LEAST, backups_in, folder_name, rotate
from housing.backups.programs import UnableToFindProgram, find_program
from housing.heartbeats import BACKUP
from tests.faults.backups import backup_root, key_file, manifest_of_nothing, write_backup_of_nothing

__all__ = ["backup_root", "key_file"]


@pytest.fixture
def alert_operators() -> Iterator[Mock]:
    """Provide the function that alerts operators, which sends nothing."""
    with patch("housing.management.commands.backup.alert_operators") as mocked_function:
        yield mocked_function


@pytest.fixture
def failing_backup(backup_root: Path) -> Iterator[None]:
    """Make backups fail with an error of the database that contains an address."""
    error = psycopg2.OperationalError("connection refused\nDETAIL: Key (email)=(amina@larkhaven.example)")
    with patch("housing.management.commands.backup.make_backup", side_effect=error):
        yield


@pytest.mark.usefixtures("failing_backup")
def test_operators_are_told_when_a_backup_fails(alert_operators: Mock) -> None:
    with pytest.raises(CommandError, match="connection refused"):
        call_command("backup")

    assert alert_operators.call_args.args[0] == "The backup failed"


@pytest.mark.usefixtures("failing_backup", "alert_operators")
def test_error_of_a_failed_backup_has_no_personal_data() -> None:
    with pytest.raises(CommandError) as raised:
        call_command("backup")

    assert "amina" not in str(raised.value)


@pytest.fixture
def record_heartbeat() -> Iterator[Mock]:
    """Provide the function that records the heartbeat of backups, which changes nothing."""
    with (
        patch("housing.management.commands.backup.has_heartbeats", return_value=True),
        patch("housing.management.commands.backup.record_heartbeat") as mocked_function,
    ):
        yield mocked_function


def test_operators_are_told_when_old_backups_cannot_be_deleted(
    backup_root: Path, alert_operators: Mock, record_heartbeat: Mock
) -> None:
    new_backup = (backup_root / "2026-11-30T021500Z", manifest_of_nothing())

    with (
        patch("housing.management.commands.backup.make_backup", return_value=new_backup),
        patch("housing.management.commands.backup.rotate", side_effect=PermissionError("locked")),
        pytest.raises(CommandError, match="The new backup is complete"),
    ):
        call_command("backup")

    assert alert_operators.call_args.args[0] == "Old backups could not be deleted"
    record_heartbeat.assert_called_once_with(BACKUP)


def test_old_backups_are_deleted_but_never_the_newest_three(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 30, 2, 15, tzinfo=dt.UTC)
    backups = [
        write_backup_of_nothing(tmp_path / folder_name(now - dt.timedelta(days=days))) for days in (100, 90, 60, 36, 2)
    ]
    (tmp_path / f"{folder_name(now - dt.timedelta(days=3))}.unfinished").mkdir()

    rotate(tmp_path, keep=dt.timedelta(days=35), now=now)

    assert backups_in(tmp_path) == backups[-KEEP_AT_LEAST:]
    assert not list(tmp_path.glob("*.unfinished"))


def back_up_files(
    files: Path, backup_root: Path, *, recipients: list[str], outside: dict[str, Path] | None = None
) -> None:
    """Make a backup of a folder of files, which is refused before the database is read."""
    make_backup(
        root=backup_root,
        database={"NAME": "nowhere"},
        files=Folder(files),
        recipients=recipients,
        outside=outside or {},
        now=timezone.now(),
    )


@pytest.fixture
def public_key() -> str:
    """Return a new public key."""
    return str(pyrage.x25519.Identity.generate().to_public())


def test_a_backup_without_a_public_key_is_refused(tmp_path: Path, backup_root: Path) -> None:
    with pytest.raises(UnableToBackUp, match="BACKUP_RECIPIENTS is not set"):
        back_up_files(tmp_path, backup_root, recipients=[])
    with pytest.raises(UnableToBackUp, match="must be public keys of age"):
        back_up_files(tmp_path, backup_root, recipients=["age1nobody"])


def test_a_backup_that_would_contain_the_journal_is_refused(tmp_path: Path, backup_root: Path, public_key: str) -> None:
    with pytest.raises(UnableToBackUp, match="JOURNAL_ROOT"):
        back_up_files(tmp_path, backup_root, recipients=[public_key], outside={"JOURNAL_ROOT": tmp_path / "journal"})


def test_a_backup_of_a_folder_with_a_link_is_refused(tmp_path: Path, backup_root: Path, public_key: str) -> None:
    (tmp_path / "on-another-disk").symlink_to("/mnt")

    with pytest.raises(UnableToBackUp, match="is a link, so a backup would miss the files it leads to"):
        back_up_files(tmp_path, backup_root, recipients=[public_key])


def write_pg_dump(folder: Path, major: int) -> None:
    """Write a program that says it is pg_dump of this version of PostgreSQL."""
    folder.mkdir()
    program = folder / "pg_dump"
    program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {major}.2'\n")
    program.chmod(0o755)


def test_only_a_program_of_the_servers_version_is_used(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "15", tmp_path / "18", tmp_path / "17"]
    for folder in folders:
        write_pg_dump(folder, major=int(folder.name))
    settings.POSTGRES_PROGRAMS = ""
    monkeypatch.setattr(programs, "_folders", lambda: iter(folders))

    assert find_program("pg_dump", server=17) == tmp_path / "17" / "pg_dump"
    assert find_program("pg_dump", server=18) == tmp_path / "18" / "pg_dump"
    with pytest.raises(UnableToFindProgram, match="Install postgresql-client-16"):
        find_program("pg_dump", server=16)
