"""Tables of the homes in plans, which the homes pipeline and the board pack show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from partnerships.documents.slippage import slippage
from partnerships.kit.addresses import page_address
from partnerships.kit.dates import PartialDate, long_date
from partnerships.organisations.models import Area
from partnerships.plans.content import CONFIDENCE, NEEDS, TENURES, bedrooms_in_words
from partnerships.plans.queries.pipeline import MAX_SLIPS, HomesCount, Pipeline, Slip
from partnerships.reports.snapshot import Cell, Column, Kind, LazyRows, Row, Table


@dataclass(frozen=True, slots=True)
class EarlierFigures:
    """The figures with which today's figures are compared, from an earlier day or, without a day, the baselines."""

    day: dt.date | None

    @property
    def label(self) -> str:
        """Return the heading of the column with the earlier figures."""
        return f"As at {long_date(self.day)}" if self.day else "Baseline"

    @property
    def in_words(self) -> str:
        """Return the earlier time in a sentence, such as "on 1 March 2026" or "in the baselines"."""
        return f"on {long_date(self.day)}" if self.day else "in the baselines"

    def count_of(self, homes: HomesCount) -> int:
        """Return the earlier number of homes."""
        return homes.earlier if self.day else homes.baseline


def _capital(label: str) -> str:
    """Return the label with a capital first character. The others are unchanged."""
    return label[0].upper() + label[1:]


class RowNames:
    """The names of the rows of each table. Areas are named by the directory, and other rows by their labels."""

    def __init__(self, pipeline: Pipeline) -> None:
        codes = {code for code, _authority in pipeline.by.get("area", ())}
        self._areas = dict(Area.objects.filter(code__in=codes).values_list("code", "name"))

    def name_of(self, division: str, values: tuple[Any, ...]) -> str:
        """Return the name of a row of a division, from the values that define the row.

        For example, the values ("social_rent",) of the division "tenure" are named "Social rent".
        """
        return _NAMES[division](self, *values)

    def area(self, code: str, authority: str) -> str:
        """Return the area's name or, if the plan has no known code, the planning authority named in the plan."""
        return self._areas.get(code) or authority or code or "Area not given"


_FUNDING: Mapping[tuple[bool, bool], str] = {
    (True, False): "Grant",
    (False, True): "Section 106",
    (True, True): "Grant and section 106",
    (False, False): "Neither",
}
_NAMES: Mapping[str, Callable[..., str]] = {
    "year": lambda _names, year: year or "Year not given",
    "tenure": lambda _names, tenure: _capital(TENURES[tenure]),
    "area": RowNames.area,
    "bedrooms": lambda _names, count: _capital(bedrooms_in_words(count)),
    "needs": lambda _names, needs: _capital(NEEDS[needs]),
    "provider": lambda _names, lead: lead or "Lead not given",
    "confidence": lambda _names, code: CONFIDENCE.get(code, "Confidence not given"),
    "funding": lambda _names, grant, agreement: _FUNDING[bool(grant), bool(agreement)],
}
#: The order of rows, as in plans. Divisions that are not here are ordered by name.
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "tenure": tuple(map(_capital, TENURES.values())),
    "needs": tuple(map(_capital, NEEDS.values())),
    "confidence": tuple(CONFIDENCE.values()),
    "funding": tuple(_FUNDING.values()),
}
#: The headings of first columns that are not the capitalised name of the division.
_FIRST_HEADINGS = {"needs": "Needs type"}


def division_table(division: str, title: str, pipeline: Pipeline, earlier: EarlierFigures, names: RowNames) -> Table:
    """Return the table of one division, such as by tenure, with the homes in each row earlier and today."""
    counts_by_name: dict[str, list[HomesCount]] = {}
    area_code_by_name: dict[str, str] = {}
    for values, homes in pipeline.by[division].items():
        if earlier.count_of(homes) or homes.now or homes.baseline:
            name = names.name_of(division, values)
            counts_by_name.setdefault(name, []).append(homes)
            area_code_by_name[name] = values[0] if division == "area" else ""
    ordered_names = _in_order(division, counts_by_name)

    def build_row(index: int) -> Row:
        name = ordered_names[index]
        cells = _cells(name, _sum(counts_by_name[name]), pipeline.total, earlier)
        return Row(cells, key=area_code_by_name[name])  # the map finds the figures of an area by this key

    return Table(
        code=division,
        title=title,
        columns=_columns(division, earlier),
        rows=LazyRows(range(len(ordered_names)), build_row),  # a page shows 25 of up to 20,000 providers
        total=Row(_cells("All homes", pipeline.total, pipeline.total, earlier)) if ordered_names else None,
        empty="No homes match these filters.",
    )


def _in_order(division: str, names: Iterable[str]) -> list[str]:
    """Return the names of the rows of a division, in the order of plans or by name."""
    order = _ORDERS.get(division, ())
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def _columns(division: str, earlier: EarlierFigures) -> tuple[Column, ...]:
    """Return the columns of a division's table. The baseline has its own column if the comparison is with a day."""
    columns = (
        Column(_FIRST_HEADINGS.get(division, division.capitalize())),
        Column(earlier.label, Kind.NUMBER),
        Column("Today", Kind.NUMBER),
        Column("Change", Kind.CHANGE),
        Column("Share of today", Kind.PART),
        Column("Completed", Kind.NUMBER),
    )
    return (*columns, Column("Baseline", Kind.NUMBER)) if earlier.day else columns


def _cells(name: str, homes: HomesCount, total: HomesCount, earlier: EarlierFigures) -> tuple[Cell, ...]:
    """Return the cells of a row, in the order of `_columns`."""
    share = (Decimal(100) * homes.now / total.now).quantize(Decimal("0.1")) if total.now else None
    earlier_count = earlier.count_of(homes)
    cells = (name, earlier_count, homes.now, homes.now - earlier_count, share, homes.done)
    return (*cells, homes.baseline) if earlier.day else cells


def _sum(counts: Sequence[HomesCount]) -> HomesCount:
    """Return the sum of several counts of homes."""
    return HomesCount(
        baseline=sum(homes.baseline for homes in counts),
        earlier=sum(homes.earlier for homes in counts),
        now=sum(homes.now for homes in counts),
        done=sum(homes.done for homes in counts),
    )


def slip_table(slips: Sequence[Slip], earlier: EarlierFigures) -> Table:
    """Return the table of sites whose forecast completion was different at the earlier time."""
    return Table(
        code="slippage",
        title="Sites whose forecast completion date has moved",
        columns=(
            Column("Site"),
            Column("Plan"),
            Column(f"Forecast {earlier.in_words}"),
            Column("Forecast today"),
            Column("Moved by"),
            Column("Homes", Kind.NUMBER),
        ),
        rows=tuple(map(_slip_row, slips)),
        note=f"These are the {MAX_SLIPS} changes that affect the most homes." if len(slips) == MAX_SLIPS else "",
        empty="No forecast completion date has moved.",
    )


def _slip_row(slip: Slip) -> Row:
    """Return the row of a site with a forecast that has moved."""
    difference = slippage(slip.old, slip.new)
    return Row(
        (
            slip.site,
            slip.plan,
            _forecast_in_words(slip.old),
            _forecast_in_words(slip.new),
            difference.words() if difference else "",
            slip.homes,
        ),
        href=page_address("plans:detail", slip.plan_id),
        key=f"{slip.plan_id}/{slip.site_key}",
        record=f"plan:{slip.plan_id}",
    )


def _forecast_in_words(partial_date: str) -> str:
    """Return a forecast such as "June 2028", or "not given" if it is empty."""
    return PartialDate.parse(partial_date).words if partial_date else "not given"
