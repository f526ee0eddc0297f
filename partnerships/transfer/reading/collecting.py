"""Read the cells of rows, and collect every problem of a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from partnerships.kit.dates import PartialDate
from partnerships.transfer.reading.headings import Line, Table
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import Unreadable, code, full_date, partial_date, text

Value = TypeVar("Value")

#: The largest number of characters in a name. A longer one is a typing error.
MAX_NAME = 300
#: The largest number of characters in a key. A longer one is a typing error.
MAX_KEY = 80
_REPEATED_KEY_REMEDY = "Give each row its own key, or remove one of the two rows."


class Collector:
    """Reads the cells of a table's rows.

    Values that cannot be used become problems, which name the row and the column as the file does.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.problems: list[Problem] = []
        #: The numbers of the rows with a problem.
        self.bad_rows: set[int] = set()
        #: The row number and the heading of each cell with a problem.
        self._bad_cells: set[tuple[int, str]] = set()
        #: The numbers of the rows about bodies that are outside this list.
        self._rows_left_out: set[int] = set()
        #: The column and key of each problem that was added to a first row because a later row has the same key.
        self._repeated_keys: set[tuple[str, str]] = set()

    def add_problem(self, line: Line, column: str, fault: str, remedy: str) -> None:
        """Add a problem with a cell of this row or, if `column` is empty, with the whole row."""
        self._add(line.number, self.table.name_of(column) if column else "", fault, remedy)

    def _add(self, row: int, heading: str, fault: str, remedy: str) -> None:
        self.problems.append(Problem(row, heading, fault, remedy, self.table.sheet))
        self.bad_rows.add(row)
        self._bad_cells.add((row, heading))

    def leave_out(self, line: Line, column: str, fault: str, remedy: str) -> None:
        """Set aside a row that has no mistake, but is about a body outside this list."""
        self._rows_left_out.add(line.number)
        self.add_problem(line, column, fault, remedy)

    def has_problem(self, line: Line, column: str = "") -> bool:
        """Return whether the row or, with a column, its cell in that column has a problem so far."""
        if column:
            return (line.number, self.table.name_of(column)) in self._bad_cells
        return line.number in self.bad_rows

    def list_file(self) -> ListFile:
        """Return the file with its rows set aside, one for each row that has a problem."""
        list_file = self.table.list_file
        problems_by_row: dict[int, list[Problem]] = {}
        for problem in self.problems:
            problems_by_row.setdefault(problem.row or 0, []).append(problem)
        rows_set_aside = [
            list_file.row_set_aside(problems, belongs_elsewhere=row in self._rows_left_out)
            for row, problems in sorted(problems_by_row.items())
        ]
        return replace(list_file, set_aside=tuple(rows_set_aside))

    def read(self, line: Line, column: str, reader: Callable[[Cell], Value]) -> Value | None:
        """Return the value of a cell, read by `reader`.

        If `reader` raises `Unreadable`, add a problem and return None.
        """
        try:
            return reader(line[column])
        except Unreadable as error:
            self._add(line.number, self.table.name_of(column), error.fault, error.remedy)
            return None

    def read_at(self, line: Line, index: int, reader: Callable[[Cell], Value]) -> Value | None:
        """Return the value of the cell at this index of the row, for columns that no `Column` describes. See `read`."""
        try:
            return reader(line.cells[index] if index < len(line.cells) else None)
        except Unreadable as error:
            self._add(line.number, text(self.table.heading.cells[index]), error.fault, error.remedy)
            return None

    def day(self, line: Line, column: str) -> dt.date | None:
        """Return a full date, or None if the cell is blank or has a problem."""
        return self.read(line, column, full_date)

    def partial(self, line: Line, column: str) -> PartialDate | None:
        """Return a date that may be only a month or a year, or None if the cell is blank or has a problem."""
        return self.read(line, column, partial_date)

    def required(self, line: Line, column: str) -> str:
        """Return the text of a cell, with a problem if it is blank or too long."""
        value = line.text(column)
        if not value:
            self.add_problem(line, column, "the cell is blank.", "Fill in the cell, or remove the row.")
        elif len(value) > MAX_NAME:
            self.add_problem(line, column, f"the cell has {len(value):,} characters.", f"Shorten it to {MAX_NAME}.")
        return value

    def key(self, line: Line, column: str, row_by_key: dict[str, int], *, optional: bool = False) -> str:
        """Return a key that must be unique in the file.

        `row_by_key` contains the rows of earlier keys; this key is added. If the key is repeated, the first of its rows
        has a problem too, since either may be the wrong one.
        """
        value = code(line[column])
        if not value:
            if not optional:
                remedy = "Every row needs a key. Enter the key or remove the row."
                self.add_problem(line, column, "the cell is blank.", remedy)
            return ""
        if len(value) > MAX_KEY:
            self.add_problem(line, column, f"“{value[:40]}…” is too long.", f"Enter at most {MAX_KEY} characters.")

        first_row = row_by_key.setdefault(value, line.number)
        if first_row != line.number:
            self.add_problem(line, column, f"“{value}” is already in row {first_row}.", _REPEATED_KEY_REMEDY)
            if (column, value) not in self._repeated_keys:
                self._repeated_keys.add((column, value))
                fault = f"“{value}” is in row {line.number} too, with different values."
                self._add(first_row, self.table.name_of(column), fault, _REPEATED_KEY_REMEDY)
        return value

    def finish(self) -> None:
        """Raise `UnableToRead` with every problem if the file has any."""
        if self.problems:
            raise UnableToRead(self.problems)
