"""Prints the text of the file on standard input.

No module imports this script, which `extraction` runs in a separate process. It exits with 0 if it could read the
file, even if the file has no text.
"""

from __future__ import annotations

import io
import logging
import resource
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice

import docx
import pypdf

#: Limit of bytes to which a Word file may unpack.
_MAX_UNPACKED = 60_000_000
#: Limit of pages that are read.
_MAX_PAGES = 400
#: Limit of processor time, in seconds.
_CPU_SECONDS = 20
#: Limit of memory, in bytes.
_MEMORY = 1_000_000_000


class UnreadableFile(Exception):
    """The file is protected or too large."""


def _limit_resources() -> None:
    """Limit time and memory, and forbid writing files, because the uploaded file may be malicious."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _texts(content: bytes) -> Iterator[str]:
    """Yield the texts of a PDF, Word or plain text file in order, and nothing for other files."""
    if content[:1024].lstrip().startswith(b"%PDF"):
        yield from _pdf(content)
    elif content[:4] == b"PK\x03\x04":
        yield from _word(content)
    elif b"\x00" not in content[:4096]:
        yield content.decode("utf-8", "replace")


def _pdf(content: bytes) -> Iterator[str]:
    """Yield the text of each page of a PDF. Raises `UnreadableFile` if the file has a password."""
    # pypdf logs a warning for each oddity of a file.
    logging.disable(logging.CRITICAL)
    reader = pypdf.PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableFile("protected")
    for page in islice(reader.pages, _MAX_PAGES):
        yield page.extract_text()


def _word(content: bytes) -> Iterator[str]:
    """Yield the text of each paragraph and table row of a Word file.

    Raises `UnreadableFile` if the file unpacks to too much.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "word/document.xml" not in archive.namelist():
            return
        if sum(member.file_size for member in archive.infolist()) > _MAX_UNPACKED:
            raise UnreadableFile("too large")
    document = docx.Document(io.BytesIO(content))
    for paragraph in document.paragraphs:
        yield paragraph.text
    for table in document.tables:
        for row in table.rows:
            yield " ".join(cell.text for cell in row.cells)


def main() -> int:
    """Print the text of the file on standard input, up to about as many characters as the argument says."""
    _limit_resources()
    max_length, length = int(sys.argv[1]), 0
    for text in _texts(sys.stdin.buffer.read()):
        sys.stdout.buffer.write(text[: max_length - length].encode("utf-8", "replace") + b"\n")
        length += len(text)
        if length >= max_length:
            break
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
