"""The folder of backups, with the backups' names and manifests, and the deletion of old backups."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from housing.backups.contents import DatabaseContents, hash_of

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.dump.age"
FILES = "files.tar.age"
UNFINISHED = ".unfinished"
#: The number of newest backups that are never deleted, however old they are.
KEEP_AT_LEAST = 3
#: The time after which the remains of an interrupted backup are deleted.
UNFINISHED_FOR = dt.timedelta(days=1)
_NAME_FORMAT = "%Y-%m-%dT%H%M%SZ"
_NAME_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")


class UnusableBackup(Exception):
    """Raised if a folder is not a backup, is incomplete, or was changed since it was written."""


@dataclass(frozen=True)
class Part:
    """An encrypted file of a backup, with the hash and the size that it had when it was written."""

    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """The description of a backup. It is not encrypted, so it names no record and no file."""

    made_at: dt.datetime
    version: str
    postgres: int
    migrations: dict[str, str]
    parts: tuple[Part, ...]
    contents: DatabaseContents
    number_of_files: int

    def write(self, folder: Path) -> None:
        """Write manifest.json."""
        values = asdict(self) | {"format": FORMAT, "made_at": self.made_at.isoformat()}
        (folder / MANIFEST).write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup. Raises `UnusableBackup`."""
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableBackup(f"{folder} is not a complete backup: {MANIFEST} cannot be read ({error}).") from error
    if values.pop("format", None) != FORMAT:
        raise UnusableBackup(f"{folder} has another format. Restore it with the version that wrote it.")

    contents = values["contents"]
    return Manifest(
        made_at=dt.datetime.fromisoformat(values["made_at"]),
        version=values["version"],
        postgres=values["postgres"],
        migrations=values["migrations"],
        parts=tuple(Part(**part) for part in values["parts"]),
        contents=DatabaseContents(
            # JSON has no tuples, so each table's row count and hash were written as a list.
            tables={table: tuple(count_and_hash) for table, count_and_hash in contents["tables"].items()},
            sequences=contents["sequences"],
            objects=contents["objects"],
        ),
        number_of_files=values["number_of_files"],
    )


def verify(folder: Path, manifest: Manifest) -> None:
    """Read every part again. Raises `UnusableBackup` if a part is missing or has changed since it was written."""
    for part in manifest.parts:
        path = folder / part.file
        if not path.is_file():
            raise UnusableBackup(f"{path} is missing.")
        if hash_of(path) != part.sha256:
            raise UnusableBackup(
                f"{path} has changed since the backup. Its hash differs from the manifest's. Use another backup."
            )


def folder_name(now: dt.datetime) -> str:
    """Return the name of a backup made at this time, such as `2026-11-30T021500Z`."""
    return now.astimezone(dt.UTC).strftime(_NAME_FORMAT)


def backups_in(root: Path) -> list[Path]:
    """Return the complete backups, the oldest first."""
    return sorted(path for path in root.iterdir() if _NAME_PATTERN.fullmatch(path.name) and (path / MANIFEST).is_file())


def rotate(root: Path, *, keep: dt.timedelta, now: dt.datetime) -> list[Path]:
    """Delete backups older than `keep`, but never the newest three, and return the deleted folders."""
    old_folders = [path for path in backups_in(root)[:-KEEP_AT_LEAST] if _age(path.name, now) > keep]
    old_folders += [
        path
        for path in root.glob(f"*{UNFINISHED}")
        if _NAME_PATTERN.fullmatch(path.stem) and _age(path.stem, now) > UNFINISHED_FOR
    ]
    for path in old_folders:
        shutil.rmtree(path)
    return old_folders


def _age(name: str, now: dt.datetime) -> dt.timedelta:
    """Return the age of a backup from its name."""
    return now - dt.datetime.strptime(name, _NAME_FORMAT).replace(tzinfo=dt.UTC)
