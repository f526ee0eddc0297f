"""The table of affordable homes by kind, with published starts and completions and the homes to come in plans."""

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


def kinds_table(
    lineage_by_area: Mapping[int, Lineage], dataset: Dataset | None, homes_by_tenure: Mapping[str, int]
) -> Table:
    """Return the table of all chosen areas together, in the newest year of the dataset.

    `homes_by_tenure` has the homes to come in plans. Without a dataset, the columns of published homes are empty.
    """
    newest_year = dataset.newest_year() if dataset is not None else None
    period = "" if newest_year is None else f", {period_words(Series.AFFORDABLE_SUPPLY, newest_year - 1, newest_year)}"
    measures = [f"{code}_{stage}" for code in _TENURES for stage in _STAGES]
    figures = {} if dataset is None else figures_of(lineage_by_area, [dataset], measures, last_year=newest_year)
    rows = []
    for code, label in AFFORDABLE.values():
        if code in _TENURES:
            published_homes = (_sum_of(figures.values(), f"{code}_{stage}", newest_year) for stage in _STAGES)
            homes_to_come = sum(homes_by_tenure.get(tenure, 0) for tenure in _TENURES[code])
            rows.append(Row((label, *published_homes, homes_to_come), key=code))
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
    return Table(
        code="kinds",
        title="Affordable homes by kind, all chosen areas together",
        columns=columns,
        rows=tuple(rows),
        note=note,
    )


def _sum_of(areas: Iterable[AreaFigures], measure: str, year: int | None) -> int | None:
    """Return the sum of the areas' own figures, or None if no area has one.

    Joint figures are left out, because each of them is the figure of several areas together.
    """
    figures = [area.of(measure, year - 1, year) for area in areas] if year is not None else []
    values = [figure.value for figure in figures if figure.value is not None and figure.basis != Basis.JOINT]
    return int(sum(values)) if values else None
