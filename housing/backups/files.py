"""The files of an instance, in a folder or in a bucket, which backups read and restores write."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

if TYPE_CHECKING:
    from housing.bucket import PrivateBucket


class UnusableFiles(Exception):
    """Raised if files cannot be backed up or restored. The message says what to do."""


def _outside(name: str, files: Files) -> str:
    """Return the error message about an archive with a file that would be written outside `files`."""
    return (
        f"The archive contains the file {name}, which would be written outside {files}. Do not use this archive. "
        "Restore another backup."
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is being read."""

    content: IO[bytes]
    size: int
    modified: float


class Files(Protocol):
    """The files of an instance, wherever they are. Failures raise `OSError`."""

    def names(self) -> list[str]:
        """Return the names of all files, in order. Raises `UnusableFiles` if a backup would miss some of them."""

    def open(self, name: str) -> AbstractContextManager[Opened]:
        """Open a file to read. Raises `FileNotFoundError`."""

    def write(self, name: str, content: IO[bytes]) -> None:
        """Write a file. Raises `UnusableFiles` if its name leads out of the folder."""

    def set_aside(self, now: dt.datetime) -> None:
        """Move all files to a new place with the time in its name."""

    def refuse(self, outside: Mapping[str, Path], *, to_set_aside: bool = False) -> None:
        """Raise `UnusableFiles` if one of these folders is among the files.

        With `to_set_aside`, it is also raised if the files could not be moved away.
        """


class Folder:
    """Files in a folder and below it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def names(self) -> list[str]:
        """Return the names of all files, relative to the folder. Raises `UnusableFiles` for a symbolic link."""
        paths = list(self.root.rglob("*"))
        if link := next((path for path in paths if path.is_symlink()), None):
            raise UnusableFiles(
                f"{link} is a link, so a backup would miss the files it leads to. Put the files themselves there."
            )
        return sorted(str(path.relative_to(self.root)) for path in paths if path.is_file())

    @contextmanager
    def open(self, name: str) -> Iterator[Opened]:
        """Open a file to read."""
        with (self.root / name).open("rb") as file:
            status = os.fstat(file.fileno())
            yield Opened(content=file, size=status.st_size, modified=status.st_mtime)

    def write(self, name: str, content: IO[bytes]) -> None:
        """Write a file, after checking its name, because anyone with the public key can make a malicious archive."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise UnusableFiles(_outside(name, self))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        path.chmod(settings.FILE_UPLOAD_PERMISSIONS)

    def set_aside(self, now: dt.datetime) -> None:
        """Rename the folder, so that its name contains the time."""
        self.root.rename(self.root.with_name(f"{self.root.name}.{_set_aside_name(now)}"))

    def refuse(self, outside: Mapping[str, Path], *, to_set_aside: bool = False) -> None:
        """Raise `UnusableFiles` for other folders within this folder, or a mount point, which cannot be renamed."""
        for name, folder in outside.items():
            if folder.resolve().is_relative_to(self.root.resolve()):
                raise UnusableFiles(
                    f"{name} ({folder}) is within MEDIA_ROOT ({self}), so a backup would contain it and a restore "
                    "would overwrite it. Move it elsewhere."
                )
        if to_set_aside and self.root.is_mount():
            raise UnusableFiles(f"{self} contains files and is a mount point, which cannot be renamed. Empty it first.")


class Bucket:
    """Files in the bucket of FILES_BUCKET."""

    def __init__(self, storage: PrivateBucket) -> None:
        self.storage = storage

    def __str__(self) -> str:
        return f"the bucket {self.storage.bucket_name}"

    def names(self) -> list[str]:
        """Return the names of all files."""
        return self.storage.names()

    @contextmanager
    def open(self, name: str) -> Iterator[Opened]:
        """Open a file to read."""
        with self.storage.open(name) as file:
            yield Opened(content=file, size=file.size, modified=file.obj.last_modified.timestamp())

    def write(self, name: str, content: IO[bytes]) -> None:
        """Write a file. Raises `UnusableFiles` if its name leads out of the bucket."""
        try:
            self.storage.save(name, ContentFile(content.read()))
        except SuspiciousOperation as error:
            raise UnusableFiles(_outside(name, self)) from error

    def set_aside(self, now: dt.datetime) -> None:
        """Move the files into a new folder of the bucket with the time in its name."""
        self.storage.set_aside(f"files.{_set_aside_name(now)}")

    def refuse(self, outside: Mapping[str, Path], *, to_set_aside: bool = False) -> None:
        """Do nothing, because a folder cannot be within a bucket."""


def _set_aside_name(now: dt.datetime) -> str:
    """Return the name of the place for files that are moved away at this time."""
    return f"before-{now:%Y-%m-%dT%H%M%S}"


def files_of_the_instance() -> Files:
    """Return the files in FILES_BUCKET if it is set, else in MEDIA_ROOT."""
    if settings.FILES_BUCKET:
        return Bucket(cast("PrivateBucket", default_storage))
    return Folder(Path(settings.MEDIA_ROOT))


def hash_of_file(files: Files, name: str) -> str:
    """Return the SHA-256 of one of the files."""
    digest = hashlib.sha256()
    with files.open(name) as open_file:
        while part := open_file.content.read(65_536):
            digest.update(part)
    return digest.hexdigest()
