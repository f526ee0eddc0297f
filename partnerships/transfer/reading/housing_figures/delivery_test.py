"""The Housing Delivery Test.

Its tables stand under each other in one sheet, with headings of two rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from partnerships.housing_figures.measures import Status
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, canonical, find_table
from partnerships.transfer.reading.housing_figures.figures import (
    CODE,
    NAME,
    FigureList,
    PublishedFigure,
    Years,
    area_code,
    figure_list,
    read_value,
    read_years,
)
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import text

_TESTED = r"housingdeliverytest(\d{4})?"
COLUMNS = (
    CODE,
    NAME,
    Column("measurement", (rf"{_TESTED}measurement",), "Housing Delivery Test: 2023 measurement", required=True),
    Column("consequence", (rf"{_TESTED}consequence",), "Housing Delivery Test: 2023 consequence"),
    Column("required_total", (r"totalnumberofhomesrequired",), "Total number of homes required"),
    Column("delivered_total", (r"totalnumberofhomesdelivered",), "Total number of homes delivered"),
    Column("group", (r"scoredas",), "Scored as"),
)
_OF_YEAR = re.compile(r"Number of homes (required|delivered) (\d{4}-\d{2})", re.IGNORECASE)
_HEADINGS = ("ONS Code", "Area Name", "Scored as")


def read_delivery_test(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return the results of the test for each authority. Raises `UnableToRead`.

    Authorities of a joint plan that is measured as one have the figures of the whole plan's area.
    """
    flat = [_flattened(sheet) for sheet in sheets]
    table = find_table(flat, COLUMNS, "a Housing Delivery Test", known_headings, keep_repeats=True)
    columns = _columns_of_years(table.heading)
    collector = Collector(table)
    figures: list[PublishedFigure] = []
    totals = 0
    for line in table:
        code = area_code(line, collector)
        if code is None:
            totals += 1
            continue
        area = PublishedFigure(
            row=line.number,
            code=code,
            name=line.text("name"),
            measure="",
            first_year=0,
            last_year=0,
            is_joint="joint plan" in line.text("group").casefold(),
        )
        tested = [years for place, (_, years) in columns.items() if place < len(line.cells) and text(line.cells[place])]
        if not tested:
            collector.add_problem(line, "", "no year has homes required or delivered.", "Fill them in.")
            continue
        for place, (measure, years) in columns.items():
            if years not in tested:
                continue
            read = collector.read_at(line, place, read_value)
            if read is not None:
                value, status = read
                of_year = replace(area, measure=measure, first_year=years.first, last_year=years.last)
                figures.append(replace(of_year, value=value, status=status))
        first, last = min(years.first for years in tested), max(years.last for years in tested)
        figures += _of_all_years(line, replace(area, first_year=first, last_year=last), collector)
    return figure_list(figures, collector, sheets, totals=totals)


def _columns_of_years(heading: Row) -> dict[int, tuple[str, Years]]:
    """Return the measure and the years of columns such as “Number of homes required 2020-21”, by place in the row."""
    columns = {}
    for place, cell in enumerate(heading.cells):
        match = _OF_YEAR.fullmatch(text(cell))
        years = read_years(match[2]) if match else None
        if match and years:
            columns[place] = (match[1].casefold(), years)
    return columns


def _of_all_years(line: Line, whole: PublishedFigure, collector: Collector) -> Iterator[PublishedFigure]:
    for measure in ("required_total", "delivered_total", "measurement"):
        if (read := collector.read(line, measure, _measured)) is not None:
            yield replace(whole, measure=measure, value=read[0], status=read[1])
    if said := line.text("consequence"):
        yield replace(whole, measure="consequence", words=said[:60])


def _measured(cell: Cell) -> tuple[Decimal | None, str]:
    """Return a number; per cent as a share.

    A dash says that nothing was required, so that nothing was measured.
    """
    line = text(cell)
    value, status = read_value(line.rstrip("%"), Status.PUBLISHED, dash_is_nil=False)
    return (value / 100 if value is not None and line.endswith("%") else value), status


def _flattened(sheet: Sheet) -> Sheet:
    """Return the sheet's tables as one table with one heading row.

    A sheet without such headings as it is. The second row of a heading has the years. The title above a table says how
    its authorities are scored.
    """
    starts = [at for at, row in enumerate(sheet.rows) if _begins(row)]
    if not starts or any(canonical(text(cell)) == "scoredas" for cell in sheet.rows[starts[0]].cells):
        return sheet
    rows: list[tuple[Row, dict[str, Cell]]] = []
    for start, end in zip(starts, [*starts[1:], len(sheet.rows)], strict=True):
        names, body = _names(sheet.rows[start], sheet.rows[start + 1 : end])
        title = next((text(row.cells[0]) for row in reversed(sheet.rows[:start]) if _is_title(row)), "")
        for row in body:
            cells = {name: cell for name, cell in zip(names, row.cells, strict=False) if name}
            rows.append((row, {**cells, "Scored as": title} if len(cells) > 1 else cells))
    headings = dict.fromkeys([*_HEADINGS, *(name for _, cells in rows for name in cells)])
    heading = Row(sheet.rows[starts[0]].number, tuple(headings))
    body = [Row(row.number, tuple(cells.get(name) for name in headings)) for row, cells in rows if not _is_title(row)]
    return Sheet(sheet.name, (*sheet.rows[: starts[0]], heading, *body))


def _begins(row: Row) -> bool:
    found = {canonical(text(cell)) for cell in row.cells}
    return "onscode" in found and any("measurement" in name for name in found)


def _is_title(row: Row) -> bool:
    return sum(bool(text(cell)) for cell in row.cells) == 1


def _names(heading: Row, below: Sequence[Row]) -> tuple[list[str], Sequence[Row]]:
    """Return the name of each column, and the rows below.

    A blank cell of the first row belongs to the heading before it.
    """
    second = below[0] if below and any(read_years(cell) for cell in below[0].cells) else None
    names, last = [], ""
    for place, cell in enumerate(heading.cells):
        year = text(second.cells[place]) if second and place < len(second.cells) else ""
        last = text(cell) or (last if read_years(year) else "")
        names.append(f"{last} {year}" if read_years(year) else last)
    return names, below[1:] if second else below
