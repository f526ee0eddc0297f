"""Read the Housing Delivery Test, which has several tables in one sheet, each with a heading of two rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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

_TEST = r"housingdeliverytest(\d{4})?"
COLUMNS = (
    CODE,
    NAME,
    Column("measurement", (rf"{_TEST}measurement",), "Housing Delivery Test: 2023 measurement", required=True),
    Column("consequence", (rf"{_TEST}consequence",), "Housing Delivery Test: 2023 consequence"),
    Column("required_total", (r"totalnumberofhomesrequired",), "Total number of homes required"),
    Column("delivered_total", (r"totalnumberofhomesdelivered",), "Total number of homes delivered"),
    Column("group", (r"scoredas",), "Scored as"),
)
_HOMES_IN_YEAR = re.compile(r"Number of homes (required|delivered) (\d{4}-\d{2})", re.IGNORECASE)
_HEADINGS = ("ONS Code", "Area Name", "Scored as")


def read_delivery_test(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return the results of the test for each authority.

    Authorities of a joint plan that is measured as one have the figures of the whole plan's area. Raises
    `UnableToRead` if no sheet is a Housing Delivery Test.
    """
    flat_sheets = [_with_one_heading(sheet) for sheet in sheets]
    table = find_table(flat_sheets, COLUMNS, "a Housing Delivery Test", known_headings, keep_repeats=True)
    year_columns = _year_columns(table.heading)
    collector = Collector(table)
    figures: list[PublishedFigure] = []
    total_count = 0
    for line in table:
        code = area_code(line, collector)
        if code is None:
            total_count += 1
            continue
        template = PublishedFigure(
            row=line.number,
            code=code,
            name=line.text("name"),
            measure="",
            first_year=0,
            last_year=0,
            is_joint="joint plan" in line.text("group").casefold(),
        )
        tested_years = [
            column.years for column in year_columns if column.index < len(line.cells) and text(line.cells[column.index])
        ]
        if not tested_years:
            collector.add_problem(line, "", "no year has homes required or delivered.", "Fill them in.")
            continue
        figures += _figures_of_years(line, template, year_columns, tested_years, collector)
        first_year = min(years.first for years in tested_years)
        last_year = max(years.last for years in tested_years)
        figures += _figures_of_period(line, replace(template, first_year=first_year, last_year=last_year), collector)
    return figure_list(figures, collector, sheets, totals=total_count)


@dataclass(frozen=True, slots=True)
class _YearColumn:
    """A column such as “Number of homes required 2020-21”."""

    index: int
    measure: str
    years: Years


def _year_columns(heading: Row) -> list[_YearColumn]:
    """Return the columns with the homes required or delivered in a year."""
    columns = []
    for index, cell in enumerate(heading.cells):
        match = _HOMES_IN_YEAR.fullmatch(text(cell))
        years = read_years(match[2]) if match else None
        if match and years:
            columns.append(_YearColumn(index=index, measure=match[1].casefold(), years=years))
    return columns


def _figures_of_years(
    line: Line,
    template: PublishedFigure,
    year_columns: Sequence[_YearColumn],
    tested_years: Sequence[Years],
    collector: Collector,
) -> Iterator[PublishedFigure]:
    """Yield the homes required and delivered in each of the tested years for which the row has a value."""
    for column in year_columns:
        if column.years not in tested_years:
            continue
        value_and_status = collector.read_at(line, column.index, read_value)
        if value_and_status is not None:
            value, status = value_and_status
            yield replace(
                template,
                measure=column.measure,
                first_year=column.years.first,
                last_year=column.years.last,
                value=value,
                status=status,
            )


def _figures_of_period(line: Line, template: PublishedFigure, collector: Collector) -> Iterator[PublishedFigure]:
    """Yield the totals of the three years, the measurement and the consequence."""
    for measure in ("required_total", "delivered_total", "measurement"):
        value_and_status = collector.read(line, measure, _read_share_or_number)
        if value_and_status is not None:
            value, status = value_and_status
            yield replace(template, measure=measure, value=value, status=status)
    consequence = line.text("consequence")
    if consequence:
        yield replace(template, measure="consequence", words=consequence[:60])


def _read_share_or_number(cell: Cell) -> tuple[Decimal | None, str]:
    """Return the number in a cell and its status. A percentage becomes a share: 95% is 0.95.

    A dash means that no homes were required, so that nothing was measured.
    """
    cell_text = text(cell)
    value, status = read_value(cell_text.rstrip("%"), Status.PUBLISHED, dash_is_nil=False)
    if value is not None and cell_text.endswith("%"):
        value /= 100
    return value, status


def _with_one_heading(sheet: Sheet) -> Sheet:
    """Return the sheet with its tables joined below one heading row.

    The second row of each heading has the years. The title above a table is how its authorities are scored, and becomes
    the column “Scored as”. A sheet without such headings, or with this column, is returned unchanged.
    """
    starts = [index for index, row in enumerate(sheet.rows) if _is_heading(row)]
    if not starts or any(canonical(text(cell)) == "scoredas" for cell in sheet.rows[starts[0]].cells):
        return sheet
    row_and_cells: list[tuple[Row, dict[str, Cell]]] = []
    for start, end in zip(starts, [*starts[1:], len(sheet.rows)], strict=True):
        headings, rows = _headings_and_rows(sheet.rows[start], sheet.rows[start + 1 : end])
        title = next((text(row.cells[0]) for row in reversed(sheet.rows[:start]) if _is_title(row)), "")
        for row in rows:
            cells = {heading: cell for heading, cell in zip(headings, row.cells, strict=False) if heading}
            if len(cells) > 1:
                cells["Scored as"] = title
            row_and_cells.append((row, cells))

    all_headings = dict.fromkeys([*_HEADINGS, *(heading for _, cells in row_and_cells for heading in cells)])
    heading_row = Row(sheet.rows[starts[0]].number, tuple(all_headings))
    joined_rows = [
        Row(row.number, tuple(cells.get(heading) for heading in all_headings))
        for row, cells in row_and_cells
        if not _is_title(row)
    ]
    return Sheet(sheet.name, (*sheet.rows[: starts[0]], heading_row, *joined_rows))


def _is_heading(row: Row) -> bool:
    """Return whether the row is the first of the two heading rows of a table."""
    headings = {canonical(text(cell)) for cell in row.cells}
    return "onscode" in headings and any("measurement" in heading for heading in headings)


def _is_title(row: Row) -> bool:
    """Return whether the row has a single cell with text."""
    return sum(bool(text(cell)) for cell in row.cells) == 1


def _headings_and_rows(heading: Row, below: Sequence[Row]) -> tuple[list[str], Sequence[Row]]:
    """Return the heading of each column, with its year, and the rows below the heading.

    A blank cell of the first row above a year belongs to the heading before it.
    """
    has_years = bool(below) and any(read_years(cell) for cell in below[0].cells)
    years_row = below[0] if has_years else None
    headings = []
    previous_heading = ""
    for index, cell in enumerate(heading.cells):
        year = text(years_row.cells[index]) if years_row and index < len(years_row.cells) else ""
        is_year = read_years(year) is not None
        previous_heading = text(cell) or (previous_heading if is_year else "")
        headings.append(f"{previous_heading} {year}" if is_year else previous_heading)
    return headings, below[1:] if has_years else below
