"""Streams between PostgreSQL's programs, encryption and files, so that only encrypted data are written to the disk."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any


class HashedFile(io.RawIOBase):
    """A new file that only its owner may read, and that counts and hashes the written bytes.

    Its content is on the disk once the file is closed.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._hash = hashlib.sha256()
        self.length = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any, /) -> int:
        """Write all of the data."""
        content = bytes(data)
        self._file.write(content)
        self._hash.update(content)
        self.length += len(content)
        return len(content)

    @property
    def sha256(self) -> str:
        """Return the hash of all bytes written so far."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file once its content is on the disk."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        super().close()


class HashedReader(io.RawIOBase):
    """A reader of a stream that hashes the bytes read, and copies them to another stream if there is one."""

    def __init__(self, source: IO[bytes], *, copy: IO[bytes] | None = None) -> None:
        self._source = source
        self._copy = copy
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer and return the number of bytes; 0 at the end."""
        content = self._source.read(len(buffer))
        buffer[: len(content)] = content
        self._hash.update(content)
        if self._copy is not None:
            self._copy.write(content)
        return len(content)

    @property
    def sha256(self) -> str:
        """Return the hash of all bytes read so far."""
        return self._hash.hexdigest()


class Pipe:
    """A stream to read, which a function writes in another thread at the same time.

    At the end of the block the thread is joined, and its error is raised.
    """

    def __init__(self, write: Callable[[IO[bytes]], None]) -> None:
        self._write = write
        self._error: BaseException | None = None

    def __enter__(self) -> IO[bytes]:
        read_descriptor, write_descriptor = os.pipe()
        self._reader = os.fdopen(read_descriptor, "rb")
        self._thread = threading.Thread(target=self._run, args=(os.fdopen(write_descriptor, "wb"),))
        self._thread.start()
        return self._reader

    def _run(self, stream: IO[bytes]) -> None:
        """Call the function in the other thread, and remember its error."""
        try:
            with stream:
                self._write(stream)
        except BaseException as error:  # noqa: BLE001 - `__exit__` raises it in the main thread
            self._error = error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A reader that stopped early makes the writer stop with a broken pipe.
        self._reader.close()
        self._thread.join()
        if self._error is not None and (error is None or not isinstance(self._error, BrokenPipeError)):
            raise self._error from error
