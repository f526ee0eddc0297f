"""Reading cells of rows while collecting every problem in the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from partnerships.kit.dates import PartialDate
from partnerships.transfer.reading.about import About
from partnerships.transfer.reading.headings import Line, Table
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import Unreadable, code, full_date, partial_date, text

Value = TypeVar("Value")

#: Characters of a name in a list; longer ones are typing errors.
LONGEST = 300
#: Characters of a key in a list; longer ones are typing errors.
LONGEST_KEY = 80


class Collector:
    """Collects problems by row and by the file's own column name."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.problems: list[Problem] = []
        self._elsewhere: set[int] = set()
        #: Keys that several rows have.
        self._shared: set[tuple[str, str]] = set()

    def add_problem(self, line: Line, column: str, found: str, remedy: str) -> None:
        """Add a problem in this row."""
        name = self.table.name_of(column) if column else ""
        self.problems.append(Problem(line.number, name, found, remedy, self.table.sheet))

    def leave_out(self, line: Line, column: str, found: str, remedy: str) -> None:
        """Set a sound row aside, because it is not about a body of this list."""
        self._elsewhere.add(line.number)
        self.add_problem(line, column, found, remedy)

    @property
    def bad_rows(self) -> set[int]:
        """The numbers of the rows with a problem."""
        return {problem.row for problem in self.problems if problem.row is not None}

    def about(self) -> About:
        """How the table was read, with the rows that cannot be used."""
        about = self.table.about
        of_row: dict[int, list[Problem]] = {}
        for problem in self.problems:
            of_row.setdefault(problem.row or 0, []).append(problem)
        aside = [
            about.row_set_aside(problems, belongs_elsewhere=row in self._elsewhere)
            for row, problems in sorted(of_row.items())
        ]
        return replace(about, set_aside=tuple(aside))

    def read(self, line: Line, column: str, reader: Callable[[Cell], Value]) -> Value | None:
        """The cell read by `reader`.

        None, with a problem added, if it is unreadable.
        """
        try:
            return reader(line[column])
        except Unreadable as error:
            found, _, remedy = str(error).partition(". ")
            self.add_problem(line, column, f"{found}.", remedy)
            return None

    def read_at(self, line: Line, place: int, reader: Callable[[Cell], Value]) -> Value | None:
        """The cell at a place, which has no known meaning, read as `read` does."""
        try:
            return reader(line.cells[place] if place < len(line.cells) else None)
        except Unreadable as error:
            found, _, remedy = str(error).partition(". ")
            name = text(self.table.heading.cells[place])
            self.problems.append(Problem(line.number, name, f"{found}.", remedy, self.table.sheet))
            return None

    def day(self, line: Line, column: str) -> dt.date | None:
        """A full date or None."""
        return self.read(line, column, full_date)

    def partial(self, line: Line, column: str) -> PartialDate | None:
        """A date of any precision, or None."""
        return self.read(line, column, partial_date)

    def required(self, line: Line, column: str) -> str:
        """A text that must not be empty."""
        value = line.text(column)
        if not value:
            self.add_problem(line, column, "the cell is blank.", "Fill it in, or remove the row.")
        elif len(value) > LONGEST:
            self.add_problem(line, column, f"the cell holds {len(value):,} characters.", f"Shorten it to {LONGEST}.")
        return value

    def key(self, line: Line, column: str, seen: dict[str, int], *, optional: bool = False) -> str:
        """A code that identifies the row and must be unique in the file."""
        value = code(line[column])
        if not value:
            if not optional:
                self.add_problem(
                    line, column, "the cell is blank.", "Every row needs its own; fill it in or remove the row."
                )
            return ""
        if len(value) > LONGEST_KEY:
            self.add_problem(line, column, f"“{value[:40]}…” is too long for a key.", "Correct it.")
        if value in seen:
            self.add_problem(
                line,
                column,
                f"“{value}” is already in row {seen[value]}.",
                "Every row needs its own: correct or remove one of the two.",
            )
            if (column, value) not in self._shared:
                self._shared.add((column, value))
                self.problems.append(
                    Problem(
                        seen[value],
                        self.table.name_of(column),
                        f"“{value}” is in row {line.number} too, with other values.",
                        "Every row needs its own: correct or remove one of the two.",
                        self.table.sheet,
                    )
                )
        seen.setdefault(value, line.number)
        return value

    def finish(self) -> None:
        """Raise `UnableToRead` with all problems, if there are any."""
        if self.problems:
            raise UnableToRead(self.problems)
