"""Problems with a file, each with its place and remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: Problems listed one by one; the rest are counted.
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: row, column, value found and remedy.

    Rows are numbered as in a spreadsheet; None is the whole file. In a network file `path` is the place:
    `plans[2].versions[1].note`.
    """

    row: int | None
    column: str
    found: str
    remedy: str
    sheet: str = ""
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.path}: {self.found} {self.remedy}".strip()
        places = []
        if self.sheet:
            places.append(f"sheet “{self.sheet}”")
        if self.row is not None:
            places.append(f"row {self.row}")
        if self.column:
            places.append(f"column “{self.column}”")
        place = ", ".join(places) or "the file"
        return f"{place[0].upper()}{place[1:]}: {self.found} {self.remedy}".strip()


class UnableToRead(Exception):
    """The file is invalid; `problems` has each place, value and remedy."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """The first hundred problems as sentences, and the number of others."""
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"… and {len(self.problems) - MAX_SHOWN:,} more.")
        return lines


def unable(found: str, remedy: str, *, row: int | None = None, column: str = "") -> UnableToRead:
    """An exception with one problem."""
    return UnableToRead([Problem(row, column, found, remedy)])
