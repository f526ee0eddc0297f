"""Finds words that docs/glossary.md says we do not use.

Run as `python tools/glossary.py`: prints file, line and replacement of each word, and fails if there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
GLOSSARY = BASE_DIR / "docs" / "glossary.md"
WORDS = "## Words that we do not use"
FOLDERS = ("partnerships", "housing", "tools", "templates", "tests", "docs")
KINDS = frozenset({".py", ".html", ".txt", ".md", ".css", ".svg", ".toml", ".yaml"})
#: Migrations are never edited, published files keep their words, and the test of this check has them all.
LEFT_OUT = ("migrations", "extracts", "__pycache__", "build", "test_docs_glossary.py")


_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that we do not use, what to write instead, and the phrases in which it is right."""

    word: str
    instead: str
    allowed_in: tuple[str, ...] = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return a pattern that finds the word as a whole word.

        A space in the word also matches `_`. A word with a capital letter is only found as written.
        """
        pattern = re.escape(self.word).replace(r"\ ", r"[ _]")
        before = r"(?<![^\W_])" if self.word[0].isalnum() else ""
        after = r"(?![^\W_])" if self.word[-1].isalnum() else ""
        return re.compile(before + pattern + after, 0 if self.word != self.word.lower() else re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A word in a line of a file."""

    path: Path
    line: int
    word: Word

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: “{self.word.word}”: use {self.word.instead}"


class UnableToReadGlossary(Exception):
    """The glossary has no table of words that we do not use."""


def read_words(text: str) -> tuple[Word, ...]:
    """Return the words in the table of the glossary. Raises `UnableToReadGlossary`."""
    words = [
        Word(word, cells[0], tuple(_CODE.findall(cells[1]))) for word, *cells in _rows(text, WORDS) if len(cells) == 2
    ]
    if not words:
        raise UnableToReadGlossary(f"docs/glossary.md has no rows under “{WORDS.strip('# ')}”.")
    return tuple(words)


def _rows(text: str, heading: str) -> Iterator[list[str]]:
    """List the cells of each row under a heading. Only rows whose first cell is in backticks, which are removed."""
    for line in text.partition(heading)[2].partition("\n## ")[0].splitlines():
        first, *cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if name := _CODE.fullmatch(first):
            yield [name[1], *cells]


def find_in(text: str, words: Iterable[Word]) -> Iterator[tuple[int, Word]]:
    """Return the words in a text, with the numbers of their lines."""
    lines = text.splitlines()
    for word in words:
        pattern = word.pattern
        if not pattern.search(text):
            continue
        for number, line in enumerate(lines, start=1):
            remaining_text = line
            for phrase in word.allowed_in:
                remaining_text = remaining_text.replace(phrase, "")
            if pattern.search(remaining_text):
                yield number, word


def files(root: Path) -> Iterator[Path]:
    """Return the files that are checked."""
    glossary = root / "docs" / "glossary.md"
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in KINDS and path != glossary and not set(LEFT_OUT).intersection(path.parts):
                yield path


def find(root: Path, words: Iterable[Word]) -> list[Finding]:
    """Find every word that we do not use, in the order of files and lines."""
    words = tuple(words)
    return [
        Finding(path.relative_to(root), line, word)
        for path in files(root)
        for line, word in sorted(
            find_in(path.read_text(encoding="utf-8"), words), key=lambda line_and_word: line_and_word[0]
        )
    ]


def main() -> int:
    """Print each word that is found, and return 1 if there is any."""
    findings = find(BASE_DIR, read_words(GLOSSARY.read_text(encoding="utf-8")))
    for finding in findings:
        print(finding)  # noqa: T201 - a terminal program
    return min(len(findings), 1)


if __name__ == "__main__":
    sys.exit(main())
