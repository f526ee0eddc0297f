"""Make a backup, with a dump of the database, an archive of the files, and a manifest.

The dump and the archive are encrypted with a public key. The private key is elsewhere, so the server cannot read
its own backups.
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
from housing.backups.programs import connection_options, find_program, program_environment
from housing.backups.streams import HashedFile, HashedReader, Pipe

#: The last member of the archive, with the hash of each file.
HASHES = "hashes.json"
_MIGRATIONS = "SELECT app, max(name) FROM django_migrations GROUP BY app"


class UnableToBackUp(Exception):
    """Raised if a backup could not be made. No unfinished backup is left behind."""


def make_backup(
    *,
    root: Path,
    recipients: Sequence[str],
    database: Mapping[str, Any],
    files: Files,
    outside: Mapping[str, Path],
    now: dt.datetime,
) -> tuple[Path, Manifest]:
    """Back up the database and the files into a new folder of `root`, and verify the written files.

    Returns the folder and its manifest. `recipients` are public keys of age, and one of their private keys is needed to
    read the backup. `outside` has the folders that must never be in a backup, by the name of their setting. They must
    not be among the files. Raises `UnableToBackUp`.
    """
    keys = _public_keys(recipients)
    try:
        files.refuse(outside)
        files.names()
    except (UnusableFiles, OSError) as error:
        raise UnableToBackUp(str(error)) from error
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked_folder(root):
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
    """Write the dump, the files and the manifest into `folder`. Only the manifest is not encrypted."""
    with connect(database) as connection, connection.cursor() as cursor:
        # The hashes and the dump are read in one snapshot, so that they agree.
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version_num')::int / 10000")
        snapshot, server = cursor.fetchone()
        contents = read_contents(cursor)
        cursor.execute(_MIGRATIONS)
        migrations = dict(cursor.fetchall())
        dump = _dump(folder, keys=keys, database=database, snapshot=snapshot, server=server)
    # The files are packed after the dump, so all files that its rows name are included. Newer files do no harm.
    archive, number_of_files = pack_files(folder, keys=keys, files=files)

    manifest = Manifest(
        made_at=now,
        version=housing.VERSION,
        postgres=server,
        migrations=migrations,
        parts=(dump, archive),
        contents=contents,
        number_of_files=number_of_files,
    )
    manifest.write(folder)
    return manifest


def _public_keys(recipients: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """Return the public keys of BACKUP_RECIPIENTS. Raises `UnableToBackUp`."""
    if not recipients:
        raise UnableToBackUp(
            "BACKUP_RECIPIENTS is not set. On another machine, run `age-keygen -o backup-key.txt`. Set "
            "BACKUP_RECIPIENTS to the public key (age1…) that it prints, and keep the file away from the backups."
        )
    try:
        return [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
    except pyrage.RecipientError as error:
        raise UnableToBackUp(f"BACKUP_RECIPIENTS must be public keys of age (age1…): {error}.") from error


@contextmanager
def _locked_folder(root: Path) -> Iterator[None]:
    """Lock the folder of backups. Raises `UnableToBackUp` if another backup is running."""
    with (root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnableToBackUp(f"Another backup into {root} is running. Wait until it has ended.") from None
        yield


def _dump(
    folder: Path,
    *,
    keys: list[pyrage.x25519.Recipient],
    database: Mapping[str, Any],
    snapshot: str,
    server: int,
) -> Part:
    """Write the encrypted dump. At the same time pg_restore reads the same bytes, to prove that they are readable."""
    dump_command = [
        str(find_program("pg_dump", server=server)),
        *connection_options(database),
        "--format=custom",
        f"--snapshot={snapshot}",
        "--no-owner",
        "--no-privileges",
    ]
    check_command = [str(find_program("pg_restore", server=server)), "--file", os.devnull]
    environ = program_environment(database)
    with (
        tempfile.TemporaryFile() as errors,
        HashedFile(folder / DATABASE) as encrypted,
        subprocess.Popen(dump_command, env=environ, stdout=subprocess.PIPE, stderr=errors) as pg_dump,
        subprocess.Popen(check_command, env=environ, stdin=subprocess.PIPE, stderr=errors) as pg_restore,
    ):
        assert pg_dump.stdout is not None
        assert pg_restore.stdin is not None
        fault = ""
        try:
            pyrage.encrypt_io(HashedReader(pg_dump.stdout, copy=pg_restore.stdin), encrypted, keys)
            pg_restore.stdin.close()
        except (pyrage.EncryptError, OSError) as error:
            fault = str(error)
            pg_dump.kill()
            with suppress(OSError):
                pg_restore.stdin.close()
        if pg_dump.wait() or pg_restore.wait() or fault:
            errors.seek(0)
            raise UnableToBackUp(f"The database could not be dumped: {fault} {errors.read().decode(errors='replace')}")
    return Part(file=DATABASE, sha256=encrypted.sha256, bytes=encrypted.length)


def pack_files(folder: Path, *, keys: list[pyrage.x25519.Recipient], files: Files) -> tuple[Part, int]:
    """Write the encrypted archive of the files and their hashes, and return it with the number of its files."""
    hashes: dict[str, str] = {}

    def pack(stream: IO[bytes]) -> None:
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            for name in files.names():
                _add(archive, files, name, hashes)
            _add_hash_list(archive, hashes)

    try:
        with HashedFile(folder / FILES) as encrypted, Pipe(pack) as packed:
            pyrage.encrypt_io(packed, encrypted, keys)
    except (pyrage.EncryptError, UnusableFiles, OSError, tarfile.TarError) as error:
        raise UnableToBackUp(f"The files could not be packed: {error}") from error
    return Part(file=FILES, sha256=encrypted.sha256, bytes=encrypted.length), len(hashes)


def _add(archive: tarfile.TarFile, files: Files, name: str, hashes: dict[str, str]) -> None:
    """Add a file to the archive, and its hash to `hashes`. A file that was just deleted is left out."""
    info = tarfile.TarInfo(f"files/{name}")
    # Somebody may have deleted the file since it was listed.
    with suppress(FileNotFoundError), files.open(name) as open_file:
        info.size, info.mtime, info.mode = open_file.size, int(open_file.modified), settings.FILE_UPLOAD_PERMISSIONS
        reader = HashedReader(open_file.content)
        archive.addfile(info, io.BufferedReader(reader))
        hashes[name] = reader.sha256


def _add_hash_list(archive: tarfile.TarFile, hashes: Mapping[str, str]) -> None:
    """Add the hashes of all files to the archive."""
    content = json.dumps(hashes, sort_keys=True).encode()
    info = tarfile.TarInfo(HASHES)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
