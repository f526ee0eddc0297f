"""Read how many homes each local plan requires, as a number or a range, in its period or each year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from partnerships.housing_figures.measures import Status
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, find_table
from partnerships.transfer.reading.housing_figures.figures import (
    CODE,
    NAME,
    FigureList,
    PublishedFigure,
    area_code,
    figure_list,
    read_value,
    read_years,
)
from partnerships.transfer.reading.tables import Cell, Sheet
from partnerships.transfer.reading.values import Unreadable, text, yes_or_no_value

COLUMNS = (
    CODE,
    NAME,
    Column("plan", (r"plantitle", r"planname"), "plan_title", required=True),
    Column("plan_key", (r"planid", r"planreference"), "plan_id"),
    Column("start", (r"startyear", r"periodstart(date|year)?"), "start_year", required=True),
    Column("end", (r"endyear", r"periodend(date|year)?"), "end_year", required=True),
    Column("kind", (r"housingnumbertype",), "housing_number_type"),
    Column("number", (r"number", r"requiredhousing", r"housingrequirement"), "number", required=True),
    Column("min", (r"min(imum)?",), "min"),
    Column("max", (r"max(imum)?",), "max"),
    Column("joint", (r"jointplantotal",), "joint_plan_total"),
    Column("is_joint", (r"isjointplan",), "is_joint_plan"),
    Column("adopted", (r"adopted(date)?",), "adopted"),
)


def read_requirements(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> FigureList:
    """Return the homes that the plans of each authority require.

    A joint plan with one number for all its authorities gives each of them that number as a joint figure. Raises
    `UnableToRead` if no sheet has such a table.
    """
    table = find_table(sheets, COLUMNS, "housing requirements of local plans", known_headings)
    collector = Collector(table)
    figures: list[PublishedFigure] = []
    total_count = 0
    for line in table:
        key = area_code(line, collector)
        if key is None:
            total_count += 1
            continue

        first, last = collector.read(line, "start", _year), collector.read(line, "end", _year)
        adopted = collector.day(line, "adopted")
        if first is None or last is None:
            continue
        if last < first:
            collector.add_problem(
                line, "end", f"the period ends in {last} and begins in {first}.", "Correct the years."
            )
            continue

        template = PublishedFigure(
            row=line.number,
            code=key,
            name=line.text("name"),
            measure="requirement_a_year" if "yearly" in line.text("kind").casefold() else "requirement",
            first_year=first,
            last_year=last,
            plan=collector.required(line, "plan"),
            plan_key=line.text("plan_key")[:80],
            adopted_on=adopted,
        )
        figures += _figures_of_plan(line, template, collector)
    return figure_list(figures, collector, sheets, totals=total_count)


def _figures_of_plan(line: Line, template: PublishedFigure, collector: Collector) -> Iterator[PublishedFigure]:
    """Yield the figures of a plan: its number, the two ends of its range, or the number of a joint plan.

    A plan without any number gets a figure with the status “not published”.
    """
    values = {}
    for column in ("number", "min", "max", "joint"):
        value = collector.read(line, column, _number)
        # A blank cell and a zero both mean that the plan gives no such number.
        if value:
            values[column] = value
    if "number" in values:
        yield replace(template, value=values["number"])
    elif "min" in values or "max" in values:
        for column, end_of_range in (("min", "least"), ("max", "most")):
            if column in values:
                yield replace(template, measure=f"{template.measure}_{end_of_range}", value=values[column])
    elif "joint" in values:
        yield replace(template, value=values["joint"], is_joint=True)
    else:
        yield replace(template, status=Status.NOT_PUBLISHED, is_joint=bool(yes_or_no_value(line["is_joint"])))


def _number(cell: Cell) -> Decimal | None:
    value, _status = read_value(cell, dash_is_nil=False)
    return value


def _year(cell: Cell) -> int:
    years = read_years(text(cell)[:4], single=True)
    if years is None:
        raise Unreadable(f"“{text(cell)}” is not a year. Enter a year, for example 2031.")
    return years.first
