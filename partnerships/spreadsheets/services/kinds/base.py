"""The interface of a kind of spreadsheet, and a run over the rows of a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.spreadsheets.reading.columns import SheetColumn
from partnerships.spreadsheets.reading.homes import COUNT
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Line, Table
from partnerships.transfer.reading.problems import SetAside
from partnerships.transfer.reading.tables import Cell, Sheet
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.directory import Progress, ignore_progress

#: Files with more rows than this are checked by a worker, if all rows are saved together in one draft.
SMALL = 300
#: Files with more rows than this are checked by a worker, if each row becomes a record. A row takes up to 30 ms.
FEW = 25
#: The cells of a row of an export, by the code of their column.
Exported = Mapping[str, Cell]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Target:
    """The plan, partnership or organisation that a spreadsheet is for."""

    plan: Plan | None = None
    partnership: Partnership | None = None
    #: The organisation that the rows are about or, with a partnership, the party that the author acts for.
    organisation: Organisation | None = None
    #: The key of a site of the plan, if all rows of homes are about it.
    site: str = ""

    @property
    def title(self) -> str:
        """The name of the record."""
        record = self.plan or self.partnership or self.organisation
        return str(record) if record is not None else ""


@dataclass
class ImportedRows:
    """One preview or import of the rows of a file."""

    target: Target
    author: User
    now: dt.datetime
    table: Table
    #: The value of `SheetKind.revision` when the preview was made, or None for a preview.
    previewed_revision: int | None = None
    progress: Progress = ignore_progress
    report: Report = field(default_factory=Report)
    _collector: Collector = field(init=False)

    def __post_init__(self) -> None:
        self._collector = Collector(self.table)

    def lines(self) -> Iterator[Line]:
        """Yield the rows, and report the progress after each."""
        total = len(self.table.rows)
        for done, line in enumerate(self.table, start=1):
            yield line
            self.progress(done, total)

    def read(self, line: Line, column: str, reader: Callable[[Cell], Value]) -> Value | None:
        """Return the value of a cell, as `reader` reads it. If `reader` fails, set the row aside and return None."""
        return self._collector.read(line, column, reader)

    def refuse(self, line: Line, column: str, problem: str, remedy: str) -> None:
        """Set a row aside because of a cell or, if `column` is "", because of the whole row."""
        self._collector.add_problem(line, column, problem, remedy)

    def is_refused(self, line: Line, column: str = "") -> bool:
        """Return whether the row was set aside or, with a column, whether it was because of its cell in that column."""
        return self._collector.has_problem(line, column)

    def finish(self) -> None:
        """Complete the report with the rows set aside, the remarks, and the result of every row."""
        list_file = self._collector.list_file()
        origin_by_row = {row.number: row.came_from for row in self.table.rows if row.came_from}
        for row in list_file.set_aside:
            self.report.set_row_aside(_with_origin(row, origin_by_row.get(row.row)))
        self.report.account_for(list_file)
        for remark in list_file.remarks:
            self.report.remark(remark)


def _with_origin(set_aside: SetAside, origin: tuple[int, str] | None) -> SetAside:
    """Return the row that was set aside, with problems that name the row and the column of the file.

    In a table with a column for each year, several rows were made from one row of the file. `origin` is the number of
    that row and the heading of the year.
    """
    if origin is None:
        return set_aside
    row_number, year_heading = origin
    problems = tuple(
        replace(problem, row=row_number, column=year_heading if problem.column == COUNT else problem.column)
        for problem in set_aside.problems
    )
    return replace(set_aside, row=row_number, problems=problems)


def _unchanged(sheets: Sequence[Sheet]) -> Sequence[Sheet]:
    """Return the sheets unchanged, for kinds that need no other arrangement."""
    return sheets


@dataclass(frozen=True, slots=True)
class SheetKind:
    """A kind of spreadsheet, with its columns and the functions that export and import its rows."""

    code: str
    #: The records in the plural, such as “asks and offers”.
    many: str
    columns: Callable[[Target], tuple[SheetColumn, ...]]
    #: Returns the rows of the export, which are the records that the person may read.
    rows: Callable[[Target, User], list[Exported]]
    #: Imports the good rows inside the caller's transaction, and sets the other rows aside.
    apply: Callable[[ImportedRows], None]
    may_import: Callable[[Target, User, dt.datetime], bool]
    #: The organisation whose confirmed headings are used and remembered.
    remembered_for: Callable[[Target, User, dt.datetime], Organisation | None]
    #: A number that changes with the records, to notice changes between preview and import.
    revision: Callable[[Target], int]
    #: Changes the sheets of a file to the shape that `columns` describe.
    arrange: Callable[[Sequence[Sheet]], Sequence[Sheet]] = _unchanged
    #: Files with more rows than this are checked and imported by a worker. Smaller files are imported at once.
    at_once: int = SMALL
    #: Text at the top of the page of the import.
    lead: str = ""

    @property
    def title(self) -> str:
        """The records in the plural, with a capital letter."""
        return self.many[:1].upper() + self.many[1:]
