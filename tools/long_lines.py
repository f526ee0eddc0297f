"""Finds lines of templates, pages and emails alike, that are longer than 120 characters.

Run as `python -m tools.long_lines`: prints file and line of each, and fails if there is one.
A Django tag cannot span lines: use `{% with %}`, `{% url … as … %}` or a partial, and `{% paragraph %}` in text emails.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
KINDS = frozenset({".html", ".txt", ".css"})
LIMIT = 120


def long_lines(root: Path) -> Iterator[tuple[Path, int]]:
    """The file, below `root`, and number of each line that is too long."""
    for path in sorted(root.rglob("*")):
        if path.suffix not in KINDS:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if len(line) > LIMIT:
                yield path.relative_to(root), number


def main() -> int:
    """Print the lines that are too long; 1 if there is any."""
    found = list(long_lines(TEMPLATES))
    for path, number in found:
        print(f"templates/{path}:{number}: longer than {LIMIT} characters")  # noqa: T201 - a terminal program
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
