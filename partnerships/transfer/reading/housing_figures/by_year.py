"""Read live tables 122, 600 and 1006 to 1008, which have a row for each area and a column for each year."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from partnerships.housing_figures.measures import affordable_measure
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import (
    HEADING_WITHIN,
    NONE_KNOWN,
    Column,
    Line,
    Table,
    UnknownHeadings,
    find_table,
)
from partnerships.transfer.reading.housing_figures.figures import (
    CODE,
    NAME,
    PLANNING_BODY_CODE,
    FigureList,
    PublishedFigure,
    Years,
    area_code,
    figure_list,
    read_value,
    read_years,
    with_origin,
)
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import code, text

COLUMNS = (CODE, NAME)
TABLE = Column("table", (r"(live)?table",), "Table", required=True)
SUPPLY_COLUMNS = (CODE, NAME, TABLE)
#: The number of a live table in a sheet's name or title: “Live_Table_1006aC”, “Table 1008C: …”.
_SUPPLY = re.compile(r"(?<!\d)(100[678][abc]?)([SC])(?![a-z0-9])", re.IGNORECASE)


def read_net_additions(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return net additional dwellings by district and year.

    Raises `UnableToRead` if no sheet has such a table.
    """
    table = find_table(
        without_notes(sheets), COLUMNS, "a table of net additional dwellings", known_headings, keep_repeats=True
    )
    return _figures(table, sheets, "net_additions")


def read_registers_by_year(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return the number of households on housing registers, with a column for each year.

    Raises `UnableToRead` if no sheet has such a table.
    """
    table = find_table(
        without_notes(sheets), COLUMNS, "a table of households on housing registers", known_headings, keep_repeats=True
    )
    return _figures(table, sheets, "waiting_list", single=True)


def read_affordable_supply(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return affordable homes by live table, district and year.

    The file has either a column “Table” or a sheet for each table. Raises `UnableToRead` if it has neither.
    """
    try:
        return _figures(_table_with_table_column(sheets, known_headings), sheets)
    except UnknownHeadings:
        # The published workbook has no column “Table”, but a sheet for each table.
        joined = _join_sheets(sheets, known_headings)
    if not joined.origin_by_row:
        raise refuse_file(
            "the file does not say which of the live tables 1006 to 1008 it contains.",
            "Use the file that has all these tables. Or add a column “Table” that says which one each row is from, "
            "such as 1008C.",
        )
    figures = _figures(_table_with_table_column([joined.sheet], known_headings), sheets)
    rows_set_aside = tuple(with_origin(row, joined.origin_by_row) for row in figures.list_file.set_aside)
    remarks = figures.list_file.remarks
    if joined.sheets_left_out:
        sheet_names = ", ".join(f"“{name}”" for name in joined.sheets_left_out)
        remarks = (*remarks, f"Left out, because it is not one of these tables: {sheet_names}.")
    list_file = replace(figures.list_file, set_aside=rows_set_aside, remarks=remarks)
    return replace(figures, list_file=list_file, origin_by_row=joined.origin_by_row)


def _table_with_table_column(sheets: Sequence[Sheet], known_headings: Mapping[str, str]) -> Table:
    """Return the table with a column “Table”, which names the live table of each row."""
    return find_table(sheets, SUPPLY_COLUMNS, "live tables 1006 to 1008", known_headings, keep_repeats=True)


def without_notes(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Return the sheets without titles and notes, which are rows whose only cell is not the code of an area."""
    return [Sheet(sheet.name, tuple(row for row in sheet.rows if not _is_note(row))) for sheet in sheets]


def _is_note(row: Row) -> bool:
    filled = [cell for cell in row.cells if text(cell)]
    return len(filled) == 1 and not PLANNING_BODY_CODE.fullmatch(code(filled[0]))


def _measure(table_number: str) -> str:
    """Return the measure of a live table such as 1008C, or "" if it is not one of the tables 1006 to 1008."""
    match = _SUPPLY.search(table_number)
    return affordable_measure(match[1], match[2]) if match else ""


class _LiveTable(NamedTuple):
    """A live table that has a sheet of its own."""

    sheet_name: str
    #: For example 1008C.
    number: str
    table: Table
    #: The index of each column whose heading is a year, by the heading.
    index_by_year: dict[str, int]


class _JoinedSheets(NamedTuple):
    """The live tables of all sheets, joined into one sheet with a column “Table”."""

    sheet: Sheet
    #: The sheet and the row from which each joined row comes.
    origin_by_row: dict[int, tuple[str, int]]
    #: The names of sheets that have years but are not one of these tables.
    sheets_left_out: list[str]


def _table_number(sheet: Sheet) -> str:
    """Return the number of the live table in the sheet's name or first rows, or "" if it has none."""
    titles = [sheet.name, *(text(cell) for row in sheet.rows[:3] for cell in row.cells)]
    for title in titles:
        if match := _SUPPLY.search(title):
            return match[0]
    return ""


def _join_sheets(sheets: Sequence[Sheet], known_headings: Mapping[str, str]) -> _JoinedSheets:
    """Join the live tables of all sheets. Since sheets may have different years, each year gets a column."""
    live_tables: list[_LiveTable] = []
    sheets_left_out: list[str] = []
    for sheet in sheets:
        top_cells = [cell for row in sheet.rows[:HEADING_WITHIN] for cell in row.cells]
        if not any(read_years(cell) for cell in top_cells):
            continue  # a cover or notes
        number = _table_number(sheet)
        if not number:
            sheets_left_out.append(sheet.name)
            continue
        table = find_table(without_notes([sheet]), COLUMNS, f"live table {number}", known_headings, keep_repeats=True)
        index_by_year = {text(table.heading.cells[index]): index for index in _year_columns(table)}
        live_tables.append(_LiveTable(sheet.name, number, table, index_by_year))

    year_headings = dict.fromkeys(heading for live_table in live_tables for heading in live_table.index_by_year)
    rows = [Row(0, ("Table", "Current ONS code", "Area name", *year_headings))]
    origin_by_row: dict[int, tuple[str, int]] = {}
    for live_table in live_tables:
        for line in live_table.table:
            values = [_cell_at(line.cells, live_table.index_by_year.get(heading)) for heading in year_headings]
            first_text = next((text(cell) for cell in line.cells if text(cell)), "")
            name = line.text("name") or first_text
            row_number = len(rows)
            rows.append(Row(row_number, (live_table.number, line.text("code"), name, *values)))
            origin_by_row[row_number] = (live_table.sheet_name, line.number)
    return _JoinedSheets(Sheet("live tables", tuple(rows)), origin_by_row, sheets_left_out)


def _cell_at(cells: Sequence[Cell], index: int | None) -> Cell:
    return cells[index] if index is not None and index < len(cells) else None


def _year_columns(table: Table, *, single: bool = False) -> dict[int, Years]:
    """Return the years of each column whose heading is a year, by the index of the column.

    With `single`, a heading may also be a single year such as 2025.
    """
    other_indexes = set(table.index_by_code.values())
    years_by_index = {}
    for index, cell in enumerate(table.heading.cells):
        years = None if index in other_indexes else read_years(cell, single=single)
        if years is not None:
            years_by_index[index] = years
    return years_by_index


def _figures(table: Table, sheets: Sequence[Sheet], measure: str = "", *, single: bool = False) -> FigureList:
    """Return a figure for each area and year. Rows of totals are only counted.

    Without a `measure`, each row has the measure of the live table in its column “Table”.
    """
    years_by_index = _year_columns(table, single=single)
    if not years_by_index:
        raise refuse_file("no column has a year as its heading.", "The table needs columns such as “2024-25”.")
    collector = Collector(table)
    first_line_by_key: dict[tuple[str, str], Line] = {}
    figures: list[PublishedFigure] = []
    total_count = 0
    for line in table:
        area = area_code(line, collector)
        if area is None:
            total_count += 1
            continue
        measure_of_row = measure or _measure(line.text("table"))
        if not measure_of_row:
            fault = "the row is not from one of the live tables 1006 to 1008."
            collector.add_problem(line, "table", fault, "Enter its number, for example 1008C.")
            continue
        first_line = first_line_by_key.setdefault((measure_of_row, area), line)
        if first_line is not line:
            # Which of the two rows is right cannot be decided here, so both get a problem.
            for bad_line, other_line in ((first_line, line), (line, first_line)):
                fault = f"“{area}” is in row {other_line.number} too, with different values."
                collector.add_problem(bad_line, "code", fault, "Correct or remove one of the two.")
        figures += _figures_of_row(line, area, measure_of_row, years_by_index, collector)
    return figure_list(figures, collector, sheets, totals=total_count)


def _figures_of_row(
    line: Line, area: str, measure: str, years_by_index: Mapping[int, Years], collector: Collector
) -> Iterator[PublishedFigure]:
    """Yield a figure for each year in which the row has a value."""
    for index, years in years_by_index.items():
        if not text(_cell_at(line.cells, index)):
            continue
        value_and_status = collector.read_at(line, index, partial(read_value, status=years.status))
        if value_and_status is not None:
            value, status = value_and_status
            yield PublishedFigure(
                row=line.number,
                code=area,
                name=line.text("name"),
                measure=measure,
                first_year=years.first,
                last_year=years.last,
                value=value,
                status=status,
            )
