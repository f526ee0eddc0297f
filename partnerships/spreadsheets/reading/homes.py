"""Tables of homes, as people paste them.

They may have no headings, or a column for each year. Both kinds become sheets with one number of homes in each row.
"""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.spreadsheets.reading.cells import YEAR
from partnerships.transfer.reading.headings import HEADING_WITHIN, canonical
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import is_nothing, text

#: The heading of the numbers of homes in rows made from a table with a column for each year.
COUNT = "Homes"

#: The order of the columns in pasted rows without headings, by the number of columns.
_WITHOUT_HEADINGS = {
    3: ("Tenure", "Bedrooms", "Homes"),
    4: ("Tenure", "Bedrooms", "Year", "Homes"),
    5: ("Tenure", "Bedrooms", "Needs type", "Year", "Homes"),
}


def with_one_number_a_row(sheets: Sequence[Sheet]) -> tuple[Sheet, ...]:
    """Return the sheets with headings, and with one number of homes in each row.

    Rows made from a table with a column for each year refer to their row and column in the file.
    """
    return tuple(_sheet_with_one_number_a_row(sheet) for sheet in sheets)


def _sheet_with_one_number_a_row(sheet: Sheet) -> Sheet:
    """Return the sheet with headings, and with one number of homes in each row."""
    for row_index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
        headings = [canonical(text(cell)) for cell in row.cells]
        if not any("tenure" in heading for heading in headings):
            continue
        year_indexes = [index for index, cell in enumerate(row.cells) if YEAR.fullmatch(text(cell))]
        if not year_indexes or any(heading in ("homes", "count", "units") for heading in headings):
            return sheet
        rows_below = sheet.rows[row_index + 1 :]
        return Sheet(sheet.name, tuple(_one_row_a_year(row, rows_below, year_indexes)))
    return _with_headings(sheet)


def _one_row_a_year(heading_row: Row, rows: Sequence[Row], year_indexes: Sequence[int]) -> list[Row]:
    """Return the heading row, and a row for each cell below a year that has a value, even 0."""
    other_indexes = [index for index in range(len(heading_row.cells)) if index not in year_indexes]
    new_rows = [Row(heading_row.number, (*(heading_row.cells[index] for index in other_indexes), "Year", COUNT))]
    for row in rows:
        other_cells = [_cell(row, index) for index in other_indexes]
        for index in year_indexes:
            count, year = _cell(row, index), text(heading_row.cells[index])
            if not is_nothing(count):
                row_number = heading_row.number + len(new_rows)
                new_rows.append(Row(row_number, (*other_cells, year, count), came_from=(row.number, year)))
    return new_rows


def _with_headings(sheet: Sheet) -> Sheet:
    """Return the sheet with the usual headings. If its first row does not end with a number, return it unchanged."""
    column_count = max((len(row.cells) for row in sheet.rows), default=0)
    headings = _WITHOUT_HEADINGS.get(column_count)
    first_cells = sheet.rows[0].cells if sheet.rows else ()
    if headings is None or not first_cells or not text(first_cells[-1]).replace(",", "").isdecimal():
        return sheet
    return Sheet(sheet.name, (Row(0, headings), *sheet.rows))


def _cell(row: Row, index: int) -> Cell:
    return row.cells[index] if index < len(row.cells) else None
