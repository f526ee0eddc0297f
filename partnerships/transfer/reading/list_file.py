"""How a list was read: its rows, those set aside, remarks and date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from partnerships.transfer.reading.problems import Problem, SetAside
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import text

#: Headings of the columns that are added to rows set aside, for the person who corrects them.
REASON, REMEDY = "Set aside because", "What to do"


@dataclass(frozen=True, slots=True)
class ListFile:
    """How a list was read, its rows, and the date that it states."""

    remarks: tuple[str, ...] = ()
    true_on: dt.date | None = None
    heading: tuple[str, ...] = ()
    #: The cells of each row by its number.
    rows: Mapping[int, tuple[Cell, ...]] = field(default_factory=dict)
    set_aside: tuple[SetAside, ...] = ()
    #: Numbers of rows that say the same as an earlier one.
    repeated: tuple[int, ...] = ()
    #: Rows of other nations.
    outside: int = 0
    #: Rows that are totals of others: no figure of them is kept.
    totals: int = 0
    #: Rows that were set aside and corrected.
    is_corrected: bool = False
    #: Only a part of its register: nothing counts as missing because it is not in it.
    is_part: bool = False
    #: The place of the file in the list's files.
    file: int = 0

    def row_set_aside(self, problems: Sequence[Problem], **options: bool) -> SetAside:
        """The row that the problems are in, set aside."""
        number = problems[0].row or 0
        cells = tuple(text(cell) for cell in self.rows.get(number, ()))
        return SetAside(number, cells, tuple(problems), file=self.file, **options)
