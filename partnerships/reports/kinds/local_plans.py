"""Local plans: what each requires of an area, and when it was adopted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from partnerships.housing_figures.measures import Series
from partnerships.housing_figures.models import Figure
from partnerships.housing_figures.queries import Requirements
from partnerships.organisations.models import Area
from partnerships.reports.snapshot import Column, Kind, Row, Table


def plans_table(areas: Iterable[Area], required: Mapping[int, Requirements]) -> Table:
    """What each plan requires, and when it was adopted."""
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
        "plans", "Requirements of local plans", columns, tuple(rows), empty="No plans are recorded for these areas."
    )


def _plan_row(area: Area, one: Figure) -> Row:
    known = "" if one.value is not None else "not published"
    cells = (
        one.plan,
        area.name,
        one.name,
        one.period(Series.REQUIREMENTS),
        one.get_measure_display(),
        None if one.value is None else round(one.value),
        one.adopted_on,
        "for the whole area of the joint plan" if one.is_joint else known,
    )
    return Row(cells, key=f"{area.code}/{one.plan_key or one.plan}/{one.code}/{one.measure}")
