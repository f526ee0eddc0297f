"""Problems of a file, each with its row, column and remedy, and rows that were set aside for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: The number of problems that are listed. Of the others, only the number is given.
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a file, with a sentence that says what to do."""

    #: The number of the row as in a spreadsheet, or None if the problem is the whole file.
    row: int | None
    #: The file's own heading of the column, or "" if the problem is the whole row.
    column: str
    #: What is wrong, as the end of a sentence that begins with the row.
    fault: str
    #: What the user should do, as a sentence.
    remedy: str
    sheet: str = ""
    #: In place of row and column in a network file, for example `plans[2].versions[1].note`.
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.path}: {self.fault} {self.remedy}".strip()
        places = []
        if self.sheet:
            places.append(f"sheet “{self.sheet}”")
        if self.row is not None:
            places.append(f"row {self.row}")
        if self.column:
            places.append(f"column “{self.column}”")
        sentence = f"{', '.join(places)}: {self.fault}" if places else self.fault
        return f"{sentence[:1].upper()}{sentence[1:]} {self.remedy}".strip()


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that could not be imported, or not completely, with its problems."""

    row: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]
    #: Whether the row has no mistake, but is about a body outside this list.
    belongs_elsewhere: bool = False
    #: Whether the row was imported except for the values with problems.
    is_used: bool = False
    #: The index of the row's file in the list's files.
    file: int = 0

    @property
    def reason(self) -> str:
        """Return the problems of the row, each after the heading of its column."""
        return " ".join(
            f"{problem.column}: {problem.fault}" if problem.column else problem.fault for problem in self.problems
        )

    @property
    def remedy(self) -> str:
        """Return the remedies of the problems, without repetition."""
        return " ".join(dict.fromkeys(problem.remedy for problem in self.problems))


class UnableToRead(Exception):
    """Raised if a file is refused, with the problems that are the reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return the first problems as sentences, and the number of the others."""
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"… and {len(self.problems) - MAX_SHOWN:,} more.")
        return lines


def refuse_file(fault: str, remedy: str, *, row: int | None = None, column: str = "") -> UnableToRead:
    """Return the exception for a file that is refused for a single problem."""
    return UnableToRead([Problem(row, column, fault, remedy)])
