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


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that was not imported, or not all of it, with its problems.

    `belongs_elsewhere` means that the row is sound, but not about a body of this list. `is_used` means that the row was
    imported, and only what the problems say was not.
    """

    row: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]
    belongs_elsewhere: bool = False
    is_used: bool = False
    #: The place of its file in the list's files.
    file: int = 0

    @property
    def reason(self) -> str:
        """Where the problems are and what they are."""
        return " ".join(
            f"{problem.column}: {problem.found}" if problem.column else problem.found for problem in self.problems
        )

    @property
    def remedy(self) -> str:
        """What to do about the problems."""
        return " ".join(dict.fromkeys(problem.remedy for problem in self.problems))


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
