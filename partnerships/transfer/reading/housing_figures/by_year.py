"""Tables with a row for each area and a column for each year.

Live tables 122, 600 and 1006 to 1008 are such tables.
"""

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
    BODY,
    CODE,
    NAME,
    FigureList,
    PublishedFigure,
    Years,
    area_code,
    figure_list,
    placed,
    read_value,
    read_years,
)
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import code, text

COLUMNS = (CODE, NAME)
TABLE = Column("table", (r"(live)?table",), "Table", required=True)
SUPPLY_COLUMNS = (CODE, NAME, TABLE)
#: “Live_Table_1006aC”, “Table 1008C: …”.
_SUPPLY = re.compile(r"(?<!\d)(100[678][abc]?)([SC])(?![a-z0-9])", re.IGNORECASE)


def read_net_additions(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return net additional dwellings by district and year. Raises `UnableToRead`."""
    table = find_table(
        without_notes(sheets), COLUMNS, "a table of net additional dwellings", known_headings, keep_repeats=True
    )
    return _figures(table, sheets, "net_additions")


def read_registers_by_year(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return households on housing registers, with a column for each year. Raises `UnableToRead`."""
    table = find_table(
        without_notes(sheets), COLUMNS, "a table of households on housing registers", known_headings, keep_repeats=True
    )
    return _figures(table, sheets, "waiting_list", single=True)


def read_affordable_supply(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return affordable homes by table, district and year.

    One sheet of each table. Raises `UnableToRead`.
    """
    try:
        return _figures(_one_table(sheets, known_headings), sheets)
    except UnknownHeadings:
        together, places, others = _put_together(sheets, known_headings)
    if not places:
        raise unable(
            "it does not say which of the live tables 1006 to 1008 it is.",
            "Give the file with all of them, or add a column “Table” that says 1008C, for example.",
        )
    table = _one_table([together], known_headings)
    figures = _figures(table, sheets)
    aside = tuple(placed(one, places) for one in figures.list_file.set_aside)
    remarks = [f"Left out, because it is not one of these tables: {', '.join(others)}."] if others else []
    list_file = replace(figures.list_file, set_aside=aside, remarks=(*figures.list_file.remarks, *remarks))
    return replace(figures, list_file=list_file, places=places)


def _one_table(sheets: Sequence[Sheet], known_headings: Mapping[str, str]) -> Table:
    return find_table(sheets, SUPPLY_COLUMNS, "live tables 1006 to 1008", known_headings, keep_repeats=True)


def without_notes(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Return the sheets without rows of one cell, which are titles and notes, unless it is the code of an area."""
    return [Sheet(sheet.name, tuple(row for row in sheet.rows if not _is_note(row))) for sheet in sheets]


def _is_note(row: Row) -> bool:
    filled = [cell for cell in row.cells if text(cell)]
    return len(filled) == 1 and not BODY.fullmatch(code(filled[0]))


def _measure(words: str) -> str:
    match = _SUPPLY.search(words)
    return affordable_measure(match[1], match[2]) if match else ""


class _LiveTable(NamedTuple):
    """A live table: its sheet, its number such as 1008C, and the column of each heading that is a year."""

    sheet: str
    name: str
    table: Table
    years: dict[str, int]


def _name_of(sheet: Sheet) -> str:
    """Return the number of the live table in the sheet's name or first rows. "" if it is not one of these."""
    titles = [sheet.name, *(text(cell) for row in sheet.rows[:3] for cell in row.cells)]
    for title in titles:
        if match := _SUPPLY.search(title):
            return match[0]
    return ""


def _put_together(
    sheets: Sequence[Sheet], known_headings: Mapping[str, str]
) -> tuple[Sheet, dict[int, tuple[str, int]], list[str]]:
    """Return the tables of all sheets joined, with a column for the table; where each row came from; other tables."""
    others: list[str] = []
    found: list[_LiveTable] = []
    for sheet in sheets:
        top = [cell for row in sheet.rows[:HEADING_WITHIN] for cell in row.cells]
        if not any(map(read_years, top)):
            continue
        if name := _name_of(sheet):
            table = find_table(without_notes([sheet]), COLUMNS, f"live table {name}", known_headings, keep_repeats=True)
            years = {text(table.heading.cells[at]): at for at in _year_columns(table)}
            found.append(_LiveTable(sheet.name, name, table, years))
        else:
            others.append(f"“{sheet.name}”")
    headings = dict.fromkeys(heading for one in found for heading in one.years)
    rows = [Row(0, ("Table", "Current ONS code", "Area name", *headings))]
    places: dict[int, tuple[str, int]] = {}
    for one in found:
        for line in one.table:
            number = len(rows)
            values = [_at(line.cells, one.years.get(heading)) for heading in headings]
            first = next((text(cell) for cell in line.cells if text(cell)), "")
            rows.append(Row(number, (one.name, line.text("code"), line.text("name") or first, *values)))
            places[number] = (one.sheet, line.number)
    return Sheet("live tables", tuple(rows)), places, others


def _at(cells: Sequence[Cell], place: int | None) -> Cell:
    return cells[place] if place is not None and place < len(cells) else None


def _year_columns(table: Table, *, single: bool = False) -> dict[int, Years]:
    taken = set(table.places.values())
    return {
        place: years
        for place, cell in enumerate(table.heading.cells)
        if place not in taken and (years := read_years(cell, single=single)) is not None
    }


def _figures(
    table: Table,
    sheets: Sequence[Sheet],
    always: str = "",
    *,
    single: bool = False,
) -> FigureList:
    """Return a figure for each area and year; rows of totals are counted.

    The measure is `always` the same, or that of the live table which the row names.
    """
    years = _year_columns(table, single=single)
    if not years:
        raise unable("no column has a year as its heading.", "The table needs columns such as “2024-25”.")
    collector = Collector(table)
    seen: dict[tuple[str, str], Line] = {}
    figures: list[PublishedFigure] = []
    totals = 0
    for line in table:
        key = area_code(line, collector)
        if key is None:
            totals += 1
            continue
        if not (measure := always or _measure(line.text("table"))):
            collector.add_problem(
                line, "table", "it is not one of the live tables 1006 to 1008.", "Enter its number, for example 1008C."
            )
            continue
        if (first := seen.setdefault((measure, key), line)) is not line:
            for one, other in ((first, line), (line, first)):
                found = f"“{key}” is in row {other.number} too, with other values."
                collector.add_problem(one, "code", found, "Correct or remove one of the two.")
        figures += _figures_of(line, key, measure, years, collector)
    return figure_list(figures, collector, sheets, totals=totals)


def _figures_of(
    line: Line, area: str, measure: str, years: Mapping[int, Years], collector: Collector
) -> Iterator[PublishedFigure]:
    """Yield the figure of each year that the row has."""
    for place, year in years.items():
        if not text(_at(line.cells, place)):
            continue
        read = collector.read_at(line, place, partial(read_value, status=year.status))
        if read is not None:
            value, status = read
            yield PublishedFigure(
                row=line.number,
                code=area,
                name=line.text("name"),
                measure=measure,
                first_year=year.first,
                last_year=year.last,
                value=value,
                status=status,
            )
