"""Affordable homes by kind.

Published starts and completions beside the homes to come in plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from partnerships.housing_figures.measures import AFFORDABLE, STAGES, Series, period_words
from partnerships.housing_figures.models import Dataset
from partnerships.housing_figures.queries import AreaFigures, Lineage, figures_of
from partnerships.housing_figures.summing import Basis
from partnerships.reports.snapshot import Column, Kind, Row, Table

#: The tenures of plans that each published kind stands for.
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
    """All chosen areas together, in the newest year of the dataset.

    `to_come` are homes in plans by tenure.
    """
    newest = dataset.newest_year() if dataset is not None else None
    words = "" if newest is None else f", {period_words(Series.AFFORDABLE_SUPPLY, newest - 1, newest)}"
    measures = [f"{code}_{stage}" for code in _TENURES for stage in _STAGES]
    figures = {} if dataset is None else figures_of(lines, [dataset], measures, last_year=newest)
    rows = []
    for code, label in AFFORDABLE.values():
        if code in _TENURES:
            published = (_added(figures.values(), f"{code}_{stage}", newest) for stage in _STAGES)
            rows.append(Row((label, *published, sum(to_come.get(one, 0) for one in _TENURES[code])), key=code))
    columns = (
        Column("Kind"),
        Column(f"Started{words}", Kind.NUMBER),
        Column(f"Completed{words}", Kind.NUMBER),
        Column("Homes to come in plans", Kind.NUMBER),
    )
    note = "Each figure is the sum of the areas that have published one. Homes for market sale and rent are left out."
    return Table("kinds", "Affordable homes by kind, all chosen areas together", columns, tuple(rows), note=note)


def _added(figures: Iterable[AreaFigures], measure: str, year: int | None) -> int | None:
    """The sum of the areas that have a figure of their own.

    None if none has one.
    """
    said = [one.of(measure, year - 1, year) for one in figures] if year is not None else []
    values = [one.value for one in said if one.value is not None and one.basis != Basis.JOINT]
    return int(sum(values)) if values else None
