"""Finding the table in a file: which sheet, which row is the heading, and which column means what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import text

#: Titles, notes and blank lines may stand above the heading, as far down as this.
HEADING_WITHIN = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A meaning that a column can have: patterns for its canonical heading, the likeliest first, and an example to
    show.
    """

    code: str
    patterns: tuple[str, ...]
    shown: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row read by meaning."""

    number: int
    cells: tuple[Cell, ...]
    places: dict[str, int]
    sheet: str

    def __getitem__(self, code: str) -> Cell:
        """The cell of that meaning; None where the file has no such column or the row is short."""
        place = self.places.get(code)
        return self.cells[place] if place is not None and place < len(self.cells) else None

    def text(self, code: str) -> str:
        """The cell as one line of text."""
        return text(self[code])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading whose meanings are known."""

    sheet: str
    heading: Row
    places: dict[str, int]
    rows: tuple[Row, ...]
    above: tuple[Row, ...] = ()

    def __iter__(self) -> Iterator[Line]:
        return (Line(row.number, row.cells, self.places, self.sheet) for row in self.rows)

    def has(self, code: str) -> bool:
        """Whether a column has that meaning."""
        return code in self.places

    def name_of(self, code: str) -> str:
        """What the file itself calls the column, for messages."""
        place = self.places.get(code)
        return text(self.heading.cells[place]) if place is not None else code

    @property
    def nameless(self) -> tuple[int, ...]:
        """Places of columns that hold values but have no heading, counted from 1."""
        wide = max((len(row.cells) for row in self.rows), default=0)
        return tuple(
            place + 1
            for place in range(wide)
            if (place >= len(self.heading.cells) or not text(self.heading.cells[place]))
            and any(place < len(row.cells) and text(row.cells[place]) for row in self.rows)
        )


def canonical(heading: str) -> str:
    """A heading without case, spaces, marks and accents: `Organisation_Name ` and `organisation name` are one."""
    folded = unicodedata.normalize("NFKD", heading).casefold()
    return re.sub(r"[^a-z0-9]+", "", folded)


def find_table(sheets: Sequence[Sheet], columns: Sequence[Column], what: str) -> Table:
    """The table in which every required meaning has a column; among several, the one that fits best.

    Raises `UnableToRead` naming the columns that are missing, with what the likeliest heading row holds instead.
    """
    best: tuple[int, int, Sheet, int, dict[str, int]] | None = None
    required = {column.code for column in columns if column.required}
    for sheet in sheets:
        for index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
            places = _places(row, sheet.rows[index + 1 :], columns)
            fit = (len(required & places.keys()), len(places))
            if best is None or fit > best[:2]:
                best = (*fit, sheet, index, places)
    if best is None or best[0] < len(required):
        raise UnableToRead(_missing(best, columns, what))
    _, _, sheet, index, places = best
    heading = sheet.rows[index]
    rows = tuple(row for row in sheet.rows[index + 1 :] if row.cells != heading.cells)
    if not rows:
        raise UnableToRead(
            [Problem(heading.number, "", "there is no row below the heading.", "Download the list again.", sheet.name)]
        )
    return Table(sheet.name if len(sheets) > 1 else "", heading, places, rows, sheet.rows[:index])


def _places(row: Row, below: Sequence[Row], columns: Sequence[Column]) -> dict[str, int]:
    headings = [canonical(text(cell)) if isinstance(cell, str) else "" for cell in row.cells]
    filled: set[int] | None = None
    places: dict[str, int] = {}
    for column in columns:
        if not any(re.fullmatch(pattern, heading) for pattern in column.patterns for heading in headings if heading):
            continue
        if filled is None:
            filled = {place for place in range(len(headings)) if _any_value(below, place)}
        # A column that is blank all the way down means nothing where another has the same meaning.
        place = _place(column, headings, filled - set(places.values()))
        if place is None:
            place = _place(column, headings, set(range(len(headings))) - set(places.values()))
        if place is not None:
            places[column.code] = place
    return places


def _any_value(rows: Sequence[Row], place: int) -> bool:
    return any(place < len(row.cells) and text(row.cells[place]) for row in rows)


def _place(column: Column, headings: list[str], among: set[int]) -> int | None:
    for pattern in column.patterns:
        found = [place for place in among if headings[place] and re.fullmatch(pattern, headings[place])]
        if found:
            # Of LAD23CD and LAD25CD the newer; of equal headings the first.
            return max(found, key=lambda place: (headings[place], -place))
    return None


def _missing(
    best: tuple[int, int, Sheet, int, dict[str, int]] | None, columns: Sequence[Column], what: str
) -> list[Problem]:
    found: dict[str, int] = best[4] if best else {}
    row = best[2].rows[best[3]] if best and (found or best[2].rows) else None
    shown = ", ".join(f"“{text(cell)[:60]}”" for cell in (row.cells if row else ())[:12] if text(cell))
    number = row.number if row and found else None
    if not found:
        return [
            Problem(
                None,
                "",
                f"no row near the top is the heading of {what}.",
                "It needs the columns "
                + ", ".join(f"“{c.shown}”" for c in columns if c.required)
                + (f"; its first row holds {shown}. Is this the right file?" if shown else "."),
            )
        ]
    return [
        Problem(
            number,
            column.shown,
            "this column is missing.",
            f"The heading row of {what} needs it; found are {shown}. Is this the right file?",
        )
        for column in columns
        if column.required and column.code not in found
    ]
