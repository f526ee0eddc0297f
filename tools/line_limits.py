"""`python -m tools.line_limits`: modules of more than 400 lines, migrations apart."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
FOLDERS = ("partnerships", "housing", "tools")
MAX_LINES = 400


def long_modules(root: Path = BASE_DIR) -> Iterator[str]:
    """A line for each module that is too long, with its number of lines."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > MAX_LINES:
                yield f"{path.relative_to(root)} has {lines} lines; the limit is {MAX_LINES}. Divide it by idea."


if __name__ == "__main__":
    found = list(long_modules())
    for line in found:
        print(line)  # noqa: T201 - a terminal program
    sys.exit(bool(found))
