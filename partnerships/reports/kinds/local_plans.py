"""The table of local plans, with the homes that each plan requires in an area and the day of its adoption."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from partnerships.housing_figures.measures import Series
from partnerships.housing_figures.models import Figure
from partnerships.housing_figures.queries import Requirements
from partnerships.organisations.models import Area
from partnerships.reports.snapshot import Column, Kind, Row, Table


def plans_table(areas: Iterable[Area], required: Mapping[int, Requirements]) -> Table:
    """Return a row for each plan and area, with the required homes and the day of adoption."""
    rows = [_plan_row(area, plan) for area in areas for plan in required[area.pk].plans]
    columns = (
        Column("Plan"),
        Column("Council area"),
        Column("Planning authority"),
        Column("Period"),
        Column("What the figure is"),
        Column("Homes", Kind.NUMBER),
        Column("Adopted", Kind.DAY),
        Column("Notes"),
    )
    return Table(
        code="plans",
        title="Requirements of local plans",
        columns=columns,
        rows=tuple(rows),
        empty="No plans are recorded for these areas.",
    )


def _plan_row(area: Area, required: Figure) -> Row:
    """Return the row of a plan's requirement for an area."""
    if required.is_joint:
        note = "for the whole area of the joint plan"
    else:
        note = "" if required.value is not None else "not published"
    cells = (
        required.plan,
        area.name,
        required.name,
        required.period(Series.REQUIREMENTS),
        required.get_measure_display(),
        None if required.value is None else round(required.value),
        required.adopted_on,
        note,
    )
    return Row(cells, key=f"{area.code}/{required.plan_key or required.plan}/{required.code}/{required.measure}")
