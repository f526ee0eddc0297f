"""Reads the text of a PDF or Word file in a separate process, because an uploaded file may be malicious.

The process runs `extracting.py`. The kernel stops it if it needs too much time or memory.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Limit of bytes of a file. Larger files are not read for search.
MAX_BYTES = 30_000_000
#: Limit of characters of a file's text that are stored.
MAX_TEXT = 300_000
#: Seconds after which the process is stopped.
TIMEOUT = 40
_PROCESS = Path(__file__).with_name("extracting.py")


class UnreadableFile(Exception):
    """The file is broken, protected, too large, or took too long."""


def extracted_text(content: bytes) -> str:
    """Return the text of a PDF, Word or plain text file, and "" for other files.

    The text is cut after `MAX_TEXT` characters. Raises `UnreadableFile`.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile("too large")
    try:
        process = subprocess.run(
            [sys.executable, "-I", str(_PROCESS), str(MAX_TEXT)],
            input=content,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            # The environment is empty, so that a malicious file cannot read the database's address or a password.
            env={},
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile("took too long") from error
    if process.returncode:
        raise UnreadableFile("broken or protected")
    return process.stdout.decode("utf-8", "replace")[:MAX_TEXT]
