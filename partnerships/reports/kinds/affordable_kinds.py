"""Affordable homes by kind: published starts and completions, beside the homes to come in plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from partnerships.housing_figures.measures import AFFORDABLE, STAGES, Series, period_words
from partnerships.housing_figures.models import Dataset
from partnerships.housing_figures.queries import AreaFigures, Lineage, figures_of
from partnerships.housing_figures.summing import Basis
from partnerships.reports.snapshot import Column, Kind, Row, Table

#: The tenures in plans that each published kind includes.
_TENURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "social_rent": ("social_rent",),
        "affordable_rent": ("affordable_rent",),
        "london_affordable_rent": ("london_affordable_rent",),
        "intermediate_rent": ("rent_to_buy", "london_living_rent", "other_intermediate"),
        "shared_ownership": ("shared_ownership",),
        "affordable_ownership": ("first_homes", "discounted_market_sale"),
    }
)
_STAGES = tuple(code for code, _ in STAGES.values())


def kinds_table(lines: Mapping[int, Lineage], dataset: Dataset | None, to_come: Mapping[str, int]) -> Table:
    """Return the table of all chosen areas together, in the newest year of the dataset.

    `to_come` is the number of homes in plans, by tenure.
    """
    newest = dataset.newest_year() if dataset is not None else None
    period = "" if newest is None else f", {period_words(Series.AFFORDABLE_SUPPLY, newest - 1, newest)}"
    measures = [f"{code}_{stage}" for code in _TENURES for stage in _STAGES]
    figures = {} if dataset is None else figures_of(lines, [dataset], measures, last_year=newest)
    rows = []
    for code, label in AFFORDABLE.values():
        if code in _TENURES:
            published = (_sum_of(figures.values(), f"{code}_{stage}", newest) for stage in _STAGES)
            homes_to_come = sum(to_come.get(tenure, 0) for tenure in _TENURES[code])
            rows.append(Row((label, *published, homes_to_come), key=code))
    columns = (
        Column("Kind"),
        Column(f"Started{period}", Kind.NUMBER),
        Column(f"Completed{period}", Kind.NUMBER),
        Column("Homes to come in plans", Kind.NUMBER),
    )
    note = (
        "Each figure is the total for the areas that have published a figure. Homes for market sale and rent are left "
        "out."
    )
    return Table("kinds", "Affordable homes by kind, all chosen areas together", columns, tuple(rows), note=note)


def _sum_of(areas: Iterable[AreaFigures], measure: str, year: int | None) -> int | None:
    """Return the sum of the areas that have their own figure; None if no area has one.

    A joint figure of several areas is not the figure of one area.
    """
    figures = [area.of(measure, year - 1, year) for area in areas] if year is not None else []
    values = [figure.value for figure in figures if figure.value is not None and figure.basis != Basis.JOINT]
    return int(sum(values)) if values else None
