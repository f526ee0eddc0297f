"""Finds lines of templates and Markdown that are too long, tags split in two, and spaces before punctuation.

`python -m tools.long_lines` prints the file and line of each, and fails if there is one.

* A Django tag cannot span lines, and a page would show `{{` without its end. Use `{% with %}`, `{% url … as … %}` or a
  partial instead, and `{% paragraph %}` in text emails.
* A browser shows a line break as a space. So a line of HTML must not begin with a tag and then a comma or full stop.
* Rows of tables and blocks of code cannot be wrapped in Markdown, so they may be longer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
#: Folders or files below the project, and the endings of the files looked at.
PLACES = {"templates": (".html", ".txt", ".css"), "docs": (".md",), "*.md": (".md",)}
LIMIT = 120
#: The beginning of a tag or variable without its end on the same line.
_SPLIT = re.compile(r"\{[{%](?:(?![%}]\}).)*$")

#: A line that begins with a tag and then punctuation. The reader would see a space before the punctuation.
_SPACED = re.compile(r"\s*\{% (?:if|endif|for|endfor)\b[^%]*%\}[.,;:)]")


def long_lines(root: Path = BASE_DIR) -> Iterator[tuple[Path, int]]:
    """Return the file, below `root`, and number of each line that is too long."""
    for place, endings in PLACES.items():
        for top in sorted(root.glob(place)):
            files = [top] if top.is_file() else sorted(top.rglob("*"))
            for path in files:
                if path.suffix in endings:
                    yield from ((path.relative_to(root), number) for number in _long_in(path))


def split_tags(root: Path = BASE_DIR) -> Iterator[tuple[Path, int]]:
    """Return the file, below `root`, and number of each line where a template's tag begins and does not end."""
    return _template_lines(root, {".html", ".txt"}, lambda line: bool(_SPLIT.search(line)))


def spaced_punctuation(root: Path = BASE_DIR) -> Iterator[tuple[Path, int]]:
    """Yield the file, below `root`, and number of each line of HTML that shows a space before punctuation."""
    return _template_lines(root, {".html"}, lambda line: bool(_SPACED.match(line)))


def _template_lines(root: Path, endings: set[str], is_wrong: Callable[[str], bool]) -> Iterator[tuple[Path, int]]:
    """Yield the file, below `root`, and number of each line of the templates that is wrong."""
    for path in sorted((root / "templates").rglob("*")):
        if path.suffix in endings:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                if is_wrong(line):
                    yield path.relative_to(root), number


def _long_in(path: Path) -> Iterator[int]:
    """Return the numbers of the lines of a file that are too long and could be wrapped."""
    is_markdown = path.suffix == ".md"
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if is_markdown and line.lstrip().startswith("```"):
            is_code = not is_code
        cannot_wrap = is_markdown and (is_code or line.lstrip().startswith("|"))
        if len(line) > LIMIT and not cannot_wrap:
            yield number


def main() -> int:
    """Print the wrong lines, and return 1 if there is any."""
    findings = [(path, number, f"longer than {LIMIT} characters") for path, number in long_lines()]
    findings += [(path, number, "a tag must end on its line") for path, number in split_tags()]
    findings += [(path, number, "a space is shown before punctuation") for path, number in spaced_punctuation()]
    for path, number, fault in findings:
        print(f"{path}:{number}: {fault}")  # noqa: T201 - a terminal program
    return min(len(findings), 1)


if __name__ == "__main__":
    sys.exit(main())
