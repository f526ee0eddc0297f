"""Helpers that write and restore small backups, and run the commands for them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone

from housing.backups import places
from housing.backups.files import Folder
from housing.backups.restoring import read_identities, restore_backup


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Return the file with the operator's private key, which the server does not have."""
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "backup-key.txt"
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    return path


@pytest.fixture
def backup_root(tmp_path: Path, settings: LazySettings, key_file: Path) -> Path:
    """Return the folder of backups. The folders of files and of the journal are beside it."""
    settings.BACKUP_ROOT = str(tmp_path / "backups")
    settings.BACKUP_RECIPIENTS = [str(read_identities(key_file)[0].to_public())]
    settings.BACKUP_KEEP_DAYS = 35
    settings.DATABASE_DRILL_URL = ""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.NEVER_IN_A_BACKUP = {"JOURNAL_ROOT": tmp_path / "journal"}
    return tmp_path / "backups"


def output_of(command: str, *arguments: str) -> str:
    """Run a command, and return its output."""
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


def restore(
    backup: Path,
    *,
    identities: list[pyrage.x25519.Identity],
    database: dict[str, Any],
    files: Path,
    replace: bool = False,
) -> places.Manifest:
    """Restore a backup into this database and this folder."""
    return restore_backup(
        backup,
        identities=identities,
        database=database,
        files=Folder(files),
        outside={},
        replace=replace,
        now=timezone.now(),
    )


def write_backup_of_nothing(folder: Path) -> Path:
    """Write a complete backup of nothing."""
    folder.mkdir(parents=True)
    (folder / places.DATABASE).write_bytes(b"sealed")
    manifest_of_nothing(places.Part(places.DATABASE, places.hash_of(folder / places.DATABASE), 6)).write(folder)
    return folder


def manifest_of_nothing(*parts: places.Part) -> places.Manifest:
    """Return the manifest of an empty database and no files."""
    return places.Manifest(
        made_at=timezone.now(),
        version="0.1.0",
        postgres=18,
        migrations={},
        parts=parts,
        contents=places.DatabaseContents({}, {}, {}),
        number_of_files=0,
    )
