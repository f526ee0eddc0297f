"""Makes a backup: one snapshot of the database, the files, a manifest.

It is encrypted for somebody else's key, so that the server cannot read it.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pyrage
from django.conf import settings

import housing
from housing.backups.contents import connect, read_contents
from housing.backups.files import Files, UnusableFiles
from housing.backups.places import (
    DATABASE,
    FILES,
    UNFINISHED,
    Manifest,
    Part,
    folder_name,
    verify,
)
from housing.backups.programs import connection_words, find_program, program_environment
from housing.backups.streams import HashedFile, HashedReader, Pipe

#: The last member of the archive of files: each file's hash.
HASHES = "hashes.json"
_MIGRATIONS = "SELECT app, max(name) FROM django_migrations GROUP BY app"


class UnableToBackUp(Exception):
    """A backup could not be made; none is left behind."""


def make_backup(
    *,
    root: Path,
    recipients: Sequence[str],
    database: Mapping[str, Any],
    files: Files,
    outside: Mapping[str, Path],
    now: dt.datetime,
) -> tuple[Path, Manifest]:
    """Back up the database and the files into a new folder of `root`, and verify what was written.

    `recipients` are public keys of age: who has none of the private ones cannot read the backup. `outside` are folders
    by the name of their setting that must not be among the files, because they must not be in a backup. Raises
    `UnableToBackUp`.
    """
    keys = _public_keys(recipients)
    try:
        files.refuse(outside)
        files.names()
    except (UnusableFiles, OSError) as error:
        raise UnableToBackUp(str(error)) from error
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(root):
        unfinished = root / f"{folder_name(now)}{UNFINISHED}"
        unfinished.mkdir(mode=0o700)
        try:
            manifest = _write_all(unfinished, keys=keys, database=database, files=files, now=now)
            verify(unfinished, manifest)
        except BaseException:
            shutil.rmtree(unfinished)
            raise
        return unfinished.rename(root / folder_name(now)), manifest


def _write_all(
    folder: Path,
    *,
    keys: list[pyrage.x25519.Recipient],
    database: Mapping[str, Any],
    files: Files,
    now: dt.datetime,
) -> Manifest:
    """Write dump, files and manifest into `folder`.

    Nothing there is readable without a key.
    """
    with connect(database) as connection, connection.cursor() as cursor:
        # The dump and the hashes are of one moment.
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version_num')::int / 10000")
        snapshot, server = cursor.fetchone()
        contents = read_contents(cursor)
        cursor.execute(_MIGRATIONS)
        migrations = dict(cursor.fetchall())
        dump = _dump(folder, keys=keys, database=database, snapshot=snapshot, server=server)
    # After the dump: files that its rows name are there, and newer ones do no harm.
    archive, number = pack_files(folder, keys=keys, files=files)
    manifest = Manifest(
        made_at=now,
        version=housing.VERSION,
        postgres=server,
        migrations=migrations,
        parts=(dump, archive),
        contents=contents,
        number_of_files=number,
    )
    manifest.write(folder)
    return manifest


def _public_keys(recipients: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    if not recipients:
        raise UnableToBackUp(
            "BACKUP_RECIPIENTS is not set. On another machine, `age-keygen -o backup-key.txt` makes two keys. Set "
            "BACKUP_RECIPIENTS to the public one (age1…), and keep the file where the backups are not."
        )
    try:
        return [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError as error:
        raise UnableToBackUp(f"BACKUP_RECIPIENTS must be public keys of age (age1…): {error}.") from error


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else makes a backup in this folder meanwhile."""
    with (root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnableToBackUp(f"Another backup into {root} is running.") from None
        yield


def _dump(
    folder: Path,
    *,
    keys: list[pyrage.x25519.Recipient],
    database: Mapping[str, Any],
    snapshot: str,
    server: int,
) -> Part:
    """Write the encrypted dump, while pg_restore reads the same bytes to their end to prove that it can."""
    words = [str(find_program("pg_dump", server=server)), *connection_words(database)]
    words += ["--format", "custom", "--snapshot", snapshot, "--no-owner", "--no-privileges"]
    check = [str(find_program("pg_restore", server=server)), "--file", os.devnull]
    environ = program_environment(database)
    with (
        tempfile.TemporaryFile() as said,
        HashedFile(folder / DATABASE) as written,
        subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=said) as dumping,
        subprocess.Popen(check, env=environ, stdin=subprocess.PIPE, stderr=said) as reading,
    ):
        assert dumping.stdout is not None
        assert reading.stdin is not None
        fault = ""
        try:
            pyrage.encrypt_io(HashedReader(dumping.stdout, copy=reading.stdin), written, keys)
            reading.stdin.close()
        except (pyrage.EncryptError, OSError) as error:
            fault = str(error)
            dumping.kill()
            with suppress(OSError):
                reading.stdin.close()
        if dumping.wait() or reading.wait() or fault:
            said.seek(0)
            raise UnableToBackUp(f"The database could not be dumped: {fault} {said.read().decode(errors='replace')}")
    return Part(file=DATABASE, sha256=written.sha256, bytes=written.length)


def pack_files(folder: Path, *, keys: list[pyrage.x25519.Recipient], files: Files) -> tuple[Part, int]:
    """Write the encrypted archive of files with their hashes.

    Returns how many files it holds.
    """
    hashes: dict[str, str] = {}

    def pack(stream: IO[bytes]) -> None:
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            for name in files.names():
                _add(archive, files, name, hashes)
            _add_hashes(archive, hashes)

    try:
        with HashedFile(folder / FILES) as written, Pipe(pack) as packed:
            pyrage.encrypt_io(packed, written, keys)
    except (pyrage.EncryptError, UnusableFiles, OSError, tarfile.TarError) as error:
        raise UnableToBackUp(f"The files could not be packed: {error}") from error
    return Part(file=FILES, sha256=written.sha256, bytes=written.length), len(hashes)


def _add(archive: tarfile.TarFile, files: Files, name: str, hashes: dict[str, str]) -> None:
    info = tarfile.TarInfo(f"files/{name}")
    with suppress(FileNotFoundError), files.open(name) as opened:  # it may be deleted since the files were listed
        info.size, info.mtime, info.mode = opened.size, int(opened.modified), settings.FILE_UPLOAD_PERMISSIONS
        reader = HashedReader(opened.content)
        archive.addfile(info, io.BufferedReader(reader))
        hashes[name] = reader.sha256


def _add_hashes(archive: tarfile.TarFile, hashes: Mapping[str, str]) -> None:
    content = json.dumps(hashes, sort_keys=True).encode()
    info = tarfile.TarInfo(HASHES)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
