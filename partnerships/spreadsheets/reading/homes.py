"""Tables of homes as people paste them.

One row for each line, or a column for each year.
"""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.spreadsheets.reading.cells import YEAR
from partnerships.transfer.reading.headings import HEADING_WITHIN, canonical
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import is_nothing, text

#: The heading of the numbers of homes, where the file has a column for each year.
COUNT = "Homes"

#: The order of columns in a paste without headings, by how many there are.
_WITHOUT_HEADINGS = {
    3: ("Tenure", "Bedrooms", "Homes"),
    4: ("Tenure", "Bedrooms", "Year", "Homes"),
    5: ("Tenure", "Bedrooms", "Needs type", "Year", "Homes"),
}


def one_line_a_row(sheets: Sequence[Sheet]) -> tuple[Sheet, ...]:
    """The sheets with a heading, and with one count of homes in each row.

    A table with a column for each year gets a row for each year, which knows the row and the column of the file.
    """
    return tuple(_one_line_a_row(sheet) for sheet in sheets)


def _one_line_a_row(sheet: Sheet) -> Sheet:
    for index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
        headings = [canonical(text(cell)) for cell in row.cells]
        if not any("tenure" in heading for heading in headings):
            continue
        years = [place for place, cell in enumerate(row.cells) if YEAR.fullmatch(text(cell))]
        if not years or any(heading in ("homes", "count", "units") for heading in headings):
            return sheet
        return Sheet(sheet.name, tuple(_unfolded(sheet.rows[index], sheet.rows[index + 1 :], years)))
    return _with_heading(sheet)


def _unfolded(heading: Row, rows: Sequence[Row], years: Sequence[int]) -> list[Row]:
    """A row for each year that has a value, also 0.

    Totals have no year and keep a column without a meaning.
    """
    kept = [place for place in range(len(heading.cells)) if place not in years]
    found = [Row(heading.number, (*(heading.cells[place] for place in kept), "Year", COUNT))]
    for row in rows:
        for place in years:
            count, year = _cell(row, place), text(heading.cells[place])
            if not is_nothing(count):
                cells = (*(_cell(row, other) for other in kept), year, count)
                found.append(Row(heading.number + len(found), cells, (row.number, year)))
    return found


def _with_heading(sheet: Sheet) -> Sheet:
    """The sheet with the usual headings above, if it has none and its columns are as many as usual."""
    wide = {len(row.cells) for row in sheet.rows}
    headings = _WITHOUT_HEADINGS.get(max(wide, default=0))
    first = sheet.rows[0].cells if sheet.rows else ()
    if headings is None or not first or not text(first[-1]).replace(",", "").isdecimal():
        return sheet
    return Sheet(sheet.name, (Row(0, headings), *sheet.rows))


def _cell(row: Row, place: int) -> Cell:
    return row.cells[place] if place < len(row.cells) else None
