"""A file of a list after reading, with its rows, the rows set aside, remarks and date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from partnerships.transfer.reading.problems import Problem, SetAside
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import text

#: Headings of the columns added to files of rows set aside, for the person who corrects them.
REASON, REMEDY = "Set aside because", "What to do"


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file of a list after reading."""

    #: Sentences for the report.
    remarks: tuple[str, ...] = ()
    #: The date of the list, found in its title or rows.
    true_on: dt.date | None = None
    heading: tuple[str, ...] = ()
    #: The cells of each row, by the number of the row.
    rows: Mapping[int, tuple[Cell, ...]] = field(default_factory=dict)
    set_aside: tuple[SetAside, ...] = ()
    #: The numbers of rows that are equal to an earlier row.
    repeated_row_numbers: tuple[int, ...] = ()
    #: The number of rows outside England.
    outside: int = 0
    #: The number of rows that are totals of other rows, which are not imported.
    totals: int = 0
    #: Whether the file consists of rows that an earlier import set aside and a person corrected.
    is_corrected: bool = False
    #: Whether the file is only a part of its register, so that no organisation is reported as missing.
    is_part: bool = False
    #: The index of the file in the list's files.
    file: int = 0

    def row_set_aside(self, problems: Sequence[Problem], **options: bool) -> SetAside:
        """Return the row that has these problems as set aside. The options are those of `SetAside`."""
        row_number = problems[0].row or 0
        cells = tuple(text(cell) for cell in self.rows.get(row_number, ()))
        return SetAside(row_number, cells, tuple(problems), file=self.file, **options)
