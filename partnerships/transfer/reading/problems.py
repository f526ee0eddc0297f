"""What is wrong with a file, said so that the person who has it can put it right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: How many problems are shown one by one; the rest are counted.
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the row as a spreadsheet counts it (None: the file as a whole), the column, what was found, what to
    do.

    In a network file `path` is the place instead: `plans[2].versions[1].note`.
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
    """The file cannot be used as it is; `problems` says where, what was found, and the remedy."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """The problems as sentences, the first hundred, and how many more there are."""
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"… and {len(self.problems) - MAX_SHOWN:,} more.")
        return lines


def unable(found: str, remedy: str, *, row: int | None = None, column: str = "") -> UnableToRead:
    """One problem as an exception."""
    return UnableToRead([Problem(row, column, found, remedy)])
