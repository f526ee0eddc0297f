"""Reads the text of a PDF or Word file; a process of its own, because files may be broken on purpose.

Run as a script with the file on standard input. It prints the text, and ends with 0 if it could read the file, whatever
it found. The kernel stops it at the limits below; nothing of Django is loaded.
"""

from __future__ import annotations

import io
import logging
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

#: Limits of one file: its bytes, what an archive unpacks to, pages, characters, seconds of processor, bytes of memory.
MAX_BYTES, MAX_UNPACKED, MAX_PAGES, MAX_TEXT = 30_000_000, 60_000_000, 400, 300_000
_CPU_SECONDS, _MEMORY = 20, 1_000_000_000
#: Seconds after which the process is stopped.
_TIMEOUT = 40


class UnreadableFile(Exception):
    """The file is broken, protected, too large, or took too long."""


def text_of(content: bytes) -> str:
    """The text of a PDF, Word or plain text file; "" for other files. Raises `UnreadableFile`.

    At most `MAX_TEXT` characters, of the first `MAX_PAGES` pages.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile("too large")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(Path(__file__).resolve())],
            input=content,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile("took too long") from error
    if done.returncode:
        raise UnreadableFile("broken or protected")
    return done.stdout.decode("utf-8", "replace")[:MAX_TEXT]


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _texts(content: bytes) -> Iterator[str]:
    """The texts of a file in its order."""
    if content[:1024].lstrip().startswith(b"%PDF"):
        yield from _pdf(content)
    elif content[:4] == b"PK\x03\x04":
        yield from _word(content)
    elif b"\x00" not in content[:4096]:
        yield content.decode("utf-8", "replace")


def _pdf(content: bytes) -> Iterator[str]:
    import pypdf  # noqa: PLC0415 - only the process that reads files needs it

    logging.disable(logging.CRITICAL)
    reader = pypdf.PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableFile("protected")
    for number, page in enumerate(reader.pages):
        if number >= MAX_PAGES:
            return
        yield page.extract_text()


def _word(content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "word/document.xml" not in archive.namelist():
            return
        if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
            raise UnreadableFile("too large")
    import docx  # noqa: PLC0415 - only the process that reads files needs it

    document = docx.Document(io.BytesIO(content))
    for paragraph in document.paragraphs:
        yield paragraph.text
    for table in document.tables:
        for row in table.rows:
            yield " ".join(cell.text for cell in row.cells)


def main() -> int:
    """Print the text of the file on standard input."""
    _limit_resources()
    length = 0
    for text in _texts(sys.stdin.buffer.read(MAX_BYTES + 1)):
        sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
        length += len(text)
        if length >= MAX_TEXT:
            break
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
