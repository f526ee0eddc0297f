"""The text of a PDF or Word file, read by a process of its own, because files may be broken on purpose.

The process is `extracting.py`; the kernel stops it at its limits.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Size of a file whose text is read for search.
MAX_BYTES = 30_000_000
#: Characters that are kept of a file's text.
MAX_TEXT = 300_000
#: Seconds after which the process is stopped.
_TIMEOUT = 40
_PROCESS = Path(__file__).with_name("extracting.py")


class UnreadableFile(Exception):
    """The file is broken, protected, too large, or took too long."""


def text_of(content: bytes) -> str:
    """The text of a PDF, Word or plain text file.

    "" for other files. Raises `UnreadableFile`. At most `MAX_TEXT` characters.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile("too large")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_PROCESS), str(MAX_TEXT)],
            input=content,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
            # Nothing of ours, such as the database's address.
            env={},
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile("took too long") from error
    if done.returncode:
        raise UnreadableFile("broken or protected")
    return done.stdout.decode("utf-8", "replace")[:MAX_TEXT]
