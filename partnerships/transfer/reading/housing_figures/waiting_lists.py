"""Read households on housing registers on 31 March, from files with a row or a column for each year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, UnknownHeadings, find_table
from partnerships.transfer.reading.housing_figures.by_year import read_registers_by_year
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
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reading.tables import Cell, Sheet
from partnerships.transfer.reading.values import Unreadable, text

COLUMNS = (
    CODE,
    NAME,
    Column("year", (r"(reporting|data)?year", r"yearending", r"period"), "Year", required=True),
    Column(
        "households",
        (r"households?on(the)?(housing)?(register|waitinglist)", r"(total)?(households|waitinglist)"),
        "Households on the register",
        required=True,
    ),
)


def read_waiting_lists(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return the households on the register of each area and year.

    An area may have several rows for a year, where figures of former councils are given under the new code. Raises
    `UnableToRead` if no sheet has such a table.
    """
    try:
        table = find_table(sheets, COLUMNS, "households on housing registers", known_headings, keep_repeats=True)
    except UnknownHeadings as error:
        try:
            return read_registers_by_year(sheets, known_headings)
        except UnableToRead:
            # The first error names the columns that people can match with the file's headings.
            raise error from None
    collector = Collector(table)
    figures: list[PublishedFigure] = []
    total_count = 0
    for line in table:
        key = area_code(line, collector)
        if key is None:
            total_count += 1
            continue
        years = collector.read(line, "year", _year)
        value_and_status = collector.read(line, "households", read_value)
        if years is not None and value_and_status is not None:
            value, status = value_and_status
            figures.append(
                PublishedFigure(
                    row=line.number,
                    code=key,
                    name=line.text("name"),
                    measure="waiting_list",
                    first_year=years.last,
                    last_year=years.last,
                    value=value,
                    status=status,
                )
            )
    return figure_list(figures, collector, sheets, totals=total_count)


def _year(cell: Cell) -> Years:
    """Return the year of the 31 March: “2025”, or “2024-25”, which ends on that day."""
    years = read_years(cell, single=True)
    if years is None:
        raise Unreadable(f"“{text(cell)}” is not a year. Enter a year, for example 2025 or 2024-25.")
    return years
