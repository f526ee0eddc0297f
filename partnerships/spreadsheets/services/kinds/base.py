"""What every kind of spreadsheet says of itself, and one run over the rows of a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
from partnerships.transfer.services.directory import Progress, silent

#: Rows that become one draft: the services are called once. Rows that each become a record take up to 30 ms.
SMALL, FEW = 300, 25
#: A row of an export: the cell of each column by its code.
Exported = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Target:
    """What a spreadsheet is for: a plan, a partnership or an organisation.

    `organisation` beside a partnership is the one that the author acts for. `site` is the key of the site that all
    rows of homes are about.
    """

    plan: Plan | None = None
    partnership: Partnership | None = None
    organisation: Organisation | None = None
    site: str = ""

    @property
    def title(self) -> str:
        """The name of the record."""
        record = self.plan or self.partnership or self.organisation
        return str(record) if record is not None else ""


@dataclass
class Run:
    """One reading of a file's rows for a target, by somebody, at a moment.

    `seen` is the revision of the draft that a preview showed; None while previewing.
    """

    target: Target
    author: User
    now: dt.datetime
    table: Table
    seen: int | None = None
    progress: Progress = silent
    report: Report = field(default_factory=Report)
    rows: Collector = field(init=False)

    def __post_init__(self) -> None:
        """Problems are collected by row, with the file's own headings."""
        self.rows = Collector(self.table)

    def lines(self) -> Iterator[Line]:
        """The rows one by one, with the progress."""
        total = len(self.table.rows)
        for done, line in enumerate(self.table, start=1):
            yield line
            self.progress(done, total)

    def refuse(self, line: Line, column: str, found: str, remedy: str) -> None:
        """Set the row aside."""
        self.rows.add_problem(line, column, found, remedy)

    def finish(self) -> None:
        """Count the rows set aside, and account for every row."""
        about = self.rows.about()
        came_from = {row.number: row.came_from for row in self.table.rows if row.came_from}
        for row in about.set_aside:
            self.report.set_row_aside(_as_in_file(row, came_from.get(row.row)))
        self.report.account_for(about)
        for remark in about.remarks:
            self.report.remark(remark)


def _as_in_file(aside: SetAside, came_from: tuple[int, str] | None) -> SetAside:
    """The row that was set aside, with problems that name the row and the column of the file."""
    if came_from is None:
        return aside
    number, heading = came_from
    problems = (
        replace(problem, row=number, column=heading if problem.column == COUNT else problem.column)
        for problem in aside.problems
    )
    return replace(aside, row=number, problems=tuple(problems))


def _as_they_are(sheets: Sequence[Sheet]) -> Sequence[Sheet]:
    return sheets


@dataclass(frozen=True, slots=True)
class SheetKind:
    """One kind of spreadsheet.

    `apply` applies the good rows inside the caller's transaction and sets the others aside. `revision` is what a
    preview was made from. `rows` are what the person may read, in the shape of the template.
    """

    code: str
    many: str
    columns: Callable[[Target], tuple[SheetColumn, ...]]
    rows: Callable[[Target, User], list[Exported]]
    apply: Callable[[Run], None]
    may_import: Callable[[Target, User, dt.datetime], bool]
    #: Whose confirmed headings are used and remembered.
    remembered_for: Callable[[Target, User, dt.datetime], Organisation | None]
    revision: Callable[[Target], int]
    arrange: Callable[[Sequence[Sheet]], Sequence[Sheet]] = _as_they_are
    #: Files with at most this many rows are checked and imported while the page waits; a worker does the others.
    at_once: int = SMALL
    #: A sentence for the page of the import.
    lead: str = ""

    @property
    def title(self) -> str:
        """What the rows are, at the beginning of a sentence."""
        return self.many[:1].upper() + self.many[1:]
