"""Restore a backup into an empty database and an empty folder, and compare every row and file with the backup."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pyrage

from housing.backups.contents import connect, read_contents
from housing.backups.files import Files, UnusableFiles, hash_of_file
from housing.backups.making import HASHES
from housing.backups.places import DATABASE, FILES, Manifest, read_manifest, verify
from housing.backups.programs import connection_options, find_program, program_environment
from housing.backups.streams import Pipe

#: The number of tables, views and sequences in the public schema, without those of extensions.
_COUNT_RELATIONS = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.oid LIMIT 25
"""
_NEW_SCHEMA = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""


class UnableToRestore(Exception):
    """Raised if a backup could not be restored, or the restored data differ from the backup."""


def read_identities(path: Path) -> list[pyrage.x25519.Identity]:
    """Return the private keys in a file of `age-keygen`.

    Raises `UnableToRestore`, whose message never contains a key.
    """
    try:
        words = path.read_text(encoding="utf-8").split()
        identities = [pyrage.x25519.Identity.from_str(word) for word in words if word.startswith("AGE-SECRET-KEY-")]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise UnableToRestore(f"{path} cannot be read as a private key of age: {type(error).__name__}.") from None
    if not identities:
        raise UnableToRestore(f"{path} contains no private key of age (AGE-SECRET-KEY-…).")
    return identities


def restore_backup(
    folder: Path,
    *,
    identities: list[pyrage.x25519.Identity],
    database: Mapping[str, Any],
    files: Files,
    outside: Mapping[str, Path],
    replace: bool,
    now: dt.datetime,
) -> Manifest:
    """Restore a backup, compare the result with its manifest, and return the manifest.

    The database and the place of the files must be empty. With `replace`, the database is emptied and present files are
    set aside, but only after the whole backup was decrypted and read once. The database is restored completely or not
    at all. `outside` are folders, by the name of their setting, that must not be among the files.

    Raises `UnusableBackup` before anything is changed, and `UnableToRestore`.
    """
    manifest = read_manifest(folder)
    verify(folder, manifest)
    try:
        has_files = bool(files.names())
        files.refuse(outside, to_set_aside=has_files and replace)
    except UnusableFiles as error:
        raise UnableToRestore(str(error)) from error
    if has_files and not replace:
        raise UnableToRestore(f"{files} contains files. Empty it, or add --replace, which moves the files away.")
    _restore_database(folder, identities=identities, database=database, replace=replace)
    if has_files:
        files.set_aside(now)
    hashes = unpack_files(folder, identities=identities, files=files)
    if faults := compare(manifest, hashes=hashes, database=database, files=files):
        raise UnableToRestore("\n".join(["What was restored differs from the backup:", *faults]))
    return manifest


def empty(database: Mapping[str, Any]) -> None:
    """Drop everything in the public schema, some tables at a time.

    A single statement would lock all tables and indexes at once, which are more locks than PostgreSQL's
    `max_locks_per_transaction` allows by default.
    """
    with connect(database) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(_TABLES)
        while names := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"DROP TABLE {', '.join(names)} CASCADE")
            cursor.execute(_TABLES)
        cursor.execute(_NEW_SCHEMA)


def compare(manifest: Manifest, *, hashes: Mapping[str, str], database: Mapping[str, Any], files: Files) -> list[str]:
    """Return a sentence for each difference between a backup and the restored database and files."""
    with connect(database) as connection, connection.cursor() as cursor:
        faults = manifest.contents.differences(read_contents(cursor))
    restored_hashes = {name: hash_of_file(files, name) for name in files.names()}
    if len(hashes) != manifest.number_of_files:
        faults.append(f"The archive lists {len(hashes)} files, the manifest {manifest.number_of_files}.")
    changed_names = sorted(
        name for name in hashes.keys() | restored_hashes.keys() if hashes.get(name) != restored_hashes.get(name)
    )
    return faults + [f"{name} in {files} is not the file that was backed up." for name in changed_names]


def _restore_database(
    folder: Path, *, identities: list[pyrage.x25519.Identity], database: Mapping[str, Any], replace: bool
) -> None:
    """Decrypt the dump into pg_restore, which restores all of it or nothing. Raises `UnableToRestore`."""
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        (server,) = cursor.fetchone()
        program = str(find_program("pg_restore", server=server))
        cursor.execute(_COUNT_RELATIONS)
        is_empty = cursor.fetchone() == (0,)
        if not is_empty and not replace:
            raise UnableToRestore(
                f"The database {database['NAME']} is not empty. Name an empty one in DATABASE_OWNER_URL, or add "
                "--replace, which deletes its tables."
            )
        connection.rollback()  # end the transaction, because reading the dump may take long
        _check_readable(folder, identities=identities, database=database, program=program)
        if not is_empty:
            empty(database)
    command = [
        *(program, *connection_options(database)),
        *("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-comments"),
    ]
    _decrypt_into(command, folder, identities=identities, database=database)


def _check_readable(
    folder: Path, *, identities: list[pyrage.x25519.Identity], database: Mapping[str, Any], program: str
) -> None:
    """Decrypt and read the whole backup once, so that nothing is deleted for a backup that cannot be restored."""
    _decrypt_into([program, "--file", os.devnull], folder, identities=identities, database=database)
    try:
        with (folder / FILES).open("rb") as encrypted, Path(os.devnull).open("wb") as nowhere:
            pyrage.decrypt_io(encrypted, nowhere, identities)
    except (pyrage.DecryptError, OSError) as error:
        raise UnableToRestore(f"The files could not be restored: {error}") from error


def _decrypt_into(
    command: list[str], folder: Path, *, identities: list[pyrage.x25519.Identity], database: Mapping[str, Any]
) -> None:
    """Run a program that reads the dump from its standard input, and decrypt the dump into it."""
    with (
        tempfile.TemporaryFile() as errors,
        (folder / DATABASE).open("rb") as encrypted,
        subprocess.Popen(
            command, env=program_environment(database), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        ) as process,
    ):
        assert process.stdin is not None
        fault = ""
        try:
            pyrage.decrypt_io(encrypted, process.stdin, identities)
            process.stdin.close()
        except (pyrage.DecryptError, OSError) as error:
            fault = str(error)
            process.kill()
            with suppress(OSError):
                process.stdin.close()
        if process.wait() or fault:
            errors.seek(0)
            raise UnableToRestore(
                f"The database could not be restored: {fault} {errors.read().decode(errors='replace')}".strip()
            )


def unpack_files(folder: Path, *, identities: list[pyrage.x25519.Identity], files: Files) -> dict[str, str]:
    """Write the files of the archive, and return the hash that each had when it was backed up."""

    def decrypt(stream: IO[bytes]) -> None:
        with (folder / FILES).open("rb") as encrypted:
            pyrage.decrypt_io(encrypted, stream, identities)

    hashes: dict[str, str] = {}
    try:
        with Pipe(decrypt) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    content = archive.extractfile(member)
                    if content is None:
                        raise UnableToRestore(f"The archive contains {member.name}, which is not a file.")
                    if member.name == HASHES:
                        hashes = json.load(content)
                    else:
                        files.write(member.name.removeprefix("files/"), content)
            # tarfile stops before the padding of the last block. The padding is read too, so that age decrypts and
            # checks the whole archive.
            while stream.read(65_536):
                pass
    except (pyrage.DecryptError, UnusableFiles, OSError, tarfile.TarError, ValueError) as error:
        raise UnableToRestore(f"The files could not be restored: {error}") from error
    return hashes
