"""The report on need and supply, which compares published housing figures with the homes in published plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import TypeVar

from partnerships.housing_figures.measures import CONSEQUENCE, SERIES_LABELS, Series, financial_year, period_words
from partnerships.housing_figures.models import Dataset
from partnerships.housing_figures.queries import (
    AreaFigures,
    Requirements,
    figures_of,
    newest_datasets,
    newest_years,
    requirements_of,
)
from partnerships.housing_figures.summing import AreaFigure, Basis
from partnerships.kit.text import counted, figure
from partnerships.organisations.models import Area
from partnerships.plans.queries.homes_to_come import PlannedHomesNow, planned_homes_now
from partnerships.reports.kinds.affordable_kinds import kinds_table
from partnerships.reports.kinds.districts import DistrictFilters, Districts
from partnerships.reports.kinds.local_plans import plans_table
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import AreaMap, Cell, Chart, Column, Kind, Row, Snapshot, Source, Table

#: Yearly measures in the table of areas, which shows the newest year of each.
_NEWEST = {"net_additions": Series.NET_ADDITIONS, "affordable_completions": Series.AFFORDABLE_SUPPLY}
_MEASURES = (
    *_NEWEST,
    "affordable_starts",
    "waiting_list",
    "required_total",
    "delivered_total",
    "measurement",
    "consequence",
)
#: The number of past years in the table by year.
_PAST_YEARS = 10
#: The report lists local plans only for at most this many areas.
_FEW_AREAS = 12
_APRIL = 4
_WHOLE, _TENTH = Decimal(1), Decimal("0.1")

_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True)
class _Data:
    """All data that the report reads from the database."""

    areas: Sequence[Area]
    datasets: Mapping[str, Dataset]
    figures: Mapping[int, AreaFigures]
    required: Mapping[int, Requirements]
    #: Homes to come in plans, by the id of the area. Homes in no area of this report are under 0.
    to_come: Counter[int]
    to_come_by_year: Mapping[str, int]
    kinds: Table
    #: The first and the last of the newest years of each measure.
    years: Mapping[str, tuple[int, int]]

    @cached_property
    def published(self) -> dict[int, dict[str, AreaFigure]]:
        """Return the published figures that a total may add up, by the id of the area and by measure."""
        return {
            area.pk: {"required": self.required[area.pk].homes_a_year}
            | {name: _newest(self, area, name) for name in _ADDED if name != "required"}
            for area in self.areas
        }


def _compute(context: ReportContext) -> Snapshot:
    """Show published figures of each council area beside the homes in plans."""
    districts = Districts.on(context.today)
    areas = districts.chosen(context.filters)
    data = _read_data(context, districts, areas)
    tables = [_areas_table(data), _years_table(data, context), data.kinds]
    if 0 < len(areas) <= _FEW_AREAS:
        tables.append(plans_table(areas, data.required))
    return Snapshot(
        report=NEED_AND_SUPPLY.slug,
        title=NEED_AND_SUPPLY.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(data, context),
        tables=tuple(tables),
        charts=(Chart("Net additional dwellings, and homes to come in plans", "years", (2, 5)),),
        maps=(AreaMap("Homes to come in plans, in each council area", "areas", 7),) if areas else (),
        sources=(
            *(_source(data.datasets[series]) for series in Series if series in data.datasets),
            Source("Published versions of plans in Common Ground", context.today),
        ),
        notes=_notes(data),
    )


def _read_data(context: ReportContext, districts: Districts, areas: Sequence[Area]) -> _Data:
    """Read all data. Figures and homes of a former area are added to those of the area that replaced it."""
    lineage_by_area = {area.pk: districts.lineages[area.pk] for area in areas}
    datasets = newest_datasets()
    figures = figures_of(lineage_by_area, datasets.values(), _MEASURES)
    area_ids = {pk for lineage in lineage_by_area.values() for pk in lineage.all_area_ids()}

    id_by_code = dict(Area.objects.filter(pk__in=area_ids).values_list("code", "pk"))
    # At most one chosen district replaced each of these areas. Areas that none replaced are under 0.
    present_by_code = {
        code: next(iter(districts.of_areas([pk]) & lineage_by_area.keys()), 0) for code, pk in id_by_code.items()
    }
    chosen_codes = [*id_by_code] if len(areas) < len(districts.areas) else []
    planned_homes = planned_homes_now(context.reader, chosen_codes or _codes_of_all(areas), now=context.now)
    return _Data(
        areas=areas,
        datasets=datasets,
        figures=figures,
        required=requirements_of(lineage_by_area, datasets.get(Series.REQUIREMENTS), context.today.year),
        to_come=_to_come_by(lambda planned: present_by_code.get(planned.area_code, 0), planned_homes),
        to_come_by_year=_to_come_by(attrgetter("year"), (planned for planned in planned_homes if planned.homes)),
        kinds=kinds_table(
            lineage_by_area, datasets.get(Series.AFFORDABLE_SUPPLY), _to_come_by(attrgetter("tenure"), planned_homes)
        ),
        years=newest_years(figures.values()),
    )


def _to_come_by(key: Callable[[PlannedHomesNow], _Key], planned_homes: Iterable[PlannedHomesNow]) -> Counter[_Key]:
    """Return the homes to come in plans, added up by a key such as the year or tenure."""
    homes_to_come: Counter[_Key] = Counter()
    for planned in planned_homes:
        homes_to_come[key(planned)] += planned.to_come
    return homes_to_come


def _codes_of_all(areas: Sequence[Area]) -> Sequence[str]:
    """Return no codes, which means all areas. Without any areas, return a code that no plan has."""
    return () if areas else ("-",)


def _newest(data: _Data, area: Area, measure: str) -> AreaFigure:
    """Return the newest figure of a measure for an area."""
    first, last = data.years.get(measure, (0, 0))
    return data.figures[area.pk].of(measure, first, last)


def _areas_table(data: _Data) -> Table:
    """Return a row for each council area, with remarks on single figures in the row's notes."""
    columns = (
        Column("Council area"),
        Column("Required a year", Kind.NUMBER),
        Column(_heading(data, "measurement", Series.DELIVERY_TEST, "Housing Delivery Test"), Kind.SHARE),
        Column(CONSEQUENCE),
        Column(_heading(data, "net_additions", Series.NET_ADDITIONS, "Net additional dwellings"), Kind.NUMBER),
        Column(
            _heading(data, "affordable_completions", Series.AFFORDABLE_SUPPLY, "Affordable homes completed"),
            Kind.NUMBER,
        ),
        Column(_heading(data, "waiting_list", Series.WAITING_LISTS, "Waiting list on 31 March"), Kind.NUMBER),
        Column("Homes to come in plans", Kind.NUMBER),
        Column("Notes"),
    )
    firmness_by_measure = _shared_firmness(data)
    rows = [_area_row(data, area, firmness_by_measure) for area in data.areas]
    has_total = len(rows) > 1
    return Table(
        code="areas",
        title="Each council area",
        columns=columns,
        rows=tuple(rows),
        total=_total(data) if has_total else None,
        note=" ".join(_areas_notes(data, columns, firmness_by_measure)) if has_total else "",
        empty="No council area matches these filters.",
    )


def _areas_notes(data: _Data, columns: Sequence[Column], firmness_by_measure: Mapping[str, str]) -> list[str]:
    """Return the notes on whole columns, and on the areas that the total leaves out."""
    notes = [f"All figures for {_SHORT[name]} are {firmness}." for name, firmness in firmness_by_measure.items()]
    left_out = []
    for name, column in _ADDED.items():
        count = sum(not _is_addable(data.published[area.pk][name]) for area in data.areas)
        if count:
            left_out.append(f"{count:,} for “{columns[column].label}”")
    if left_out:
        notes.append(f"The total leaves out areas that have no figure of their own: {'; '.join(left_out)}.")
    return notes


def _heading(data: _Data, measure: str, series: Series, words: str) -> str:
    years = data.years.get(measure)
    return f"{words}, {period_words(series, *years)}" if years else words


def _is_addable(area_figure: AreaFigure) -> bool:
    """Return whether a total may add up the figure. The figure of a joint plan is for several areas together."""
    return area_figure.value is not None and area_figure.basis != Basis.JOINT


def _shared_firmness(data: _Data) -> dict[str, str]:
    """Return the firmness, such as “provisional”, that all figures of a measure share, by measure."""
    if len(data.areas) < 2:
        return {}
    firmness_by_measure = {}
    for name in _ADDED:
        figures = [data.published[area.pk][name] for area in data.areas]
        firmness_values = {area_figure.firmness for area_figure in figures if area_figure.value is not None}
        if len(firmness_values) == 1 and firmness_values != {""}:
            firmness_by_measure[name] = firmness_values.pop()
    return firmness_by_measure


def _area_row(data: _Data, area: Area, firmness_by_measure: Mapping[str, str]) -> Row:
    """Return the figures of one area, with notes on their sources."""
    measurement, test_note = _measurement(data, area)
    published = data.published[area.pk]
    notes = []
    for name, area_figure in published.items():
        # A firmness that all figures share is mentioned once, above the table.
        note = area_figure.origin if name in firmness_by_measure else area_figure.note
        if note:
            notes.append(f"{_SHORT[name]}: {note}")
    if test_note:
        notes.append(f"delivery test: {test_note}")
    cells = (
        area.name,
        _whole(published["required"].value),
        measurement,
        _newest(data, area, "consequence").words,
        _whole(published["net_additions"].value),
        _whole(published["affordable_completions"].value),
        _whole(published["waiting_list"].value),
        data.to_come[area.pk],
        "; ".join(notes),
    )
    return Row(cells, key=area.code)


#: Measures that are added up over areas, each with the index of its column.
_ADDED = {"required": 1, "net_additions": 4, "affordable_completions": 5, "waiting_list": 6}
_SHORT = {
    "required": "requirement",
    "net_additions": "net additions",
    "affordable_completions": "affordable homes",
    "waiting_list": "waiting list",
}


def _measurement(data: _Data, area: Area) -> tuple[Decimal | None, str]:
    """Return the delivery test's result in per cent, published or worked out from former areas, and a note on it."""
    published = _newest(data, area, "measurement")
    if published.value is not None and published.basis in (Basis.OWN, Basis.JOINT):
        return (published.value * 100).quantize(_TENTH), published.note
    delivered, required = _newest(data, area, "delivered_total"), _newest(data, area, "required_total")
    if delivered.value is None or not required.value:
        return None, required.note if required.basis == Basis.INCOMPLETE else ""
    return (delivered.value * 100 / required.value).quantize(_TENTH), f"worked out from {delivered.note}"


def _whole(value: Decimal | None) -> int | None:
    return None if value is None else int(value.quantize(_WHOLE))


def _total(data: _Data) -> Row:
    """Return the row of totals. Its delivery test is worked out from the homes delivered and required everywhere."""

    def total_of(name: str) -> int | None:
        figures = [data.published[area.pk][name] for area in data.areas]
        values = [_whole(area_figure.value) for area_figure in figures if _is_addable(area_figure)]
        return sum(value for value in values if value is not None) if values else None

    to_come = sum(data.to_come[area.pk] for area in data.areas)
    total_delivered = total_required = Decimal(0)
    for area in data.areas:
        delivered, required = _newest(data, area, "delivered_total"), _newest(data, area, "required_total")
        if delivered.value is None or required.value is None or Basis.JOINT in (delivered.basis, required.basis):
            continue
        total_delivered += delivered.value
        total_required += required.value
    share: Cell = (total_delivered * 100 / total_required).quantize(_TENTH) if total_required else None
    totals = (total_of("net_additions"), total_of("affordable_completions"), total_of("waiting_list"))
    return Row(("All areas", total_of("required"), share, "", *totals, to_come, ""), key="total")


def _years_table(data: _Data, context: ReportContext) -> Table:
    """Return a row for each year, with published figures and homes to come, for all chosen areas together."""
    this_year = context.today.year if context.today.month >= _APRIL else context.today.year - 1
    years_in_plans = {year for year in data.to_come_by_year if year}
    past_years = {financial_year(first_year) for first_year in range(this_year - _PAST_YEARS, this_year)}
    years = sorted(past_years | years_in_plans)
    required = _sum(data.required[area.pk].homes_a_year for area in data.areas)
    rows = []
    for year in years:
        first_year = int(year[:4])
        is_financial = "-" in year
        published = [
            _sum(data.figures[area.pk].of(measure, first_year, first_year + 1) for area in data.areas)
            if is_financial
            else None
            for measure in ("net_additions", "affordable_starts", "affordable_completions")
        ]
        rows.append(Row((year, required, *published, data.to_come_by_year.get(year, 0))))
    if homes_without_year := data.to_come_by_year.get("", 0):
        rows.append(Row(("Year not given", None, None, None, None, homes_without_year)))
    columns = (
        Column("Year"),
        Column("Required a year by today’s plans", Kind.NUMBER),
        Column("Net additional dwellings", Kind.NUMBER),
        Column("Affordable homes started", Kind.NUMBER),
        Column("Affordable homes completed", Kind.NUMBER),
        Column("Homes to come in plans", Kind.NUMBER),
    )
    return Table(
        code="years",
        title="Year by year, all chosen areas together",
        columns=columns,
        rows=tuple(rows),
        note="Financial years begin in April. A cell is empty if the figure is not published for every chosen area.",
    )


def _sum(figures: Iterable[AreaFigure]) -> int | None:
    """Return the sum of all areas' figures, or None if an area has no figure, or only that of a joint plan."""
    values = []
    for area_figure in figures:
        if area_figure.value is None or area_figure.basis == Basis.JOINT:
            return None
        values.append(area_figure.value)
    return _whole(sum(values, Decimal(0))) if values else None


def _source(dataset: Dataset) -> Source:
    words = f"{SERIES_LABELS[Series(dataset.series)]}: {dataset.publisher}, {dataset.licence}"
    return Source(words, dataset.released_on)


_NOTES = (
    "If one council replaced a council that ended, we add their figures together, and the row says so.",
    "If several councils replaced it, we do not add the old figures to any of them.",
    "A joint plan has one figure for all its areas. We show this figure for each area, and never add it up.",
    "An empty cell means that no figure is published.",
    "“Required a year” comes from the most recently adopted plan for this year. We use the lowest figure of a range.",
    "We divide a plan’s homes evenly over the years of its period.",
    "“Homes to come” counts homes that are not yet completed, in published plans that the reader can see.",
    "Only people in the organisations that own the plan and in its partnership see homes at confidential sites.",
)


def _notes(data: _Data) -> tuple[str, ...]:
    """Return the notes on how figures are worked out, and on figures that are missing."""
    notes = [*_NOTES]
    if homes_without_area := data.to_come[0]:
        homes = counted(homes_without_area, "home")
        notes.append(f"The plans for {homes} to come name no council area, so only the table by year includes them.")
    if missing_series := [SERIES_LABELS[series] for series in Series if series not in data.datasets]:
        notes.append(f"These figures are not imported yet: {', '.join(missing_series)}.")
    return tuple(notes)


def _answers(data: _Data, context: ReportContext) -> tuple[str, ...]:
    """Return the sentences on homes to come, the requirement, the delivery test and net additions."""
    if not data.areas:
        return ()
    area_words = data.areas[0].name if len(data.areas) == 1 else f"the {len(data.areas):,} council areas"
    to_come = sum(homes for area, homes in data.to_come.items() if area)
    required = _sum(data.required[area.pk].homes_a_year for area in data.areas)
    sentences = [f"{counted(to_come, 'home')} to come in {area_words}, in published plans."]
    if required:
        years = Decimal(to_come) / required
        sentences.append(
            f"Plans require {counted(required, 'home')} a year there, so the homes to come are enough for "
            f"{figure(years.quantize(_TENTH))} years."
        )

    total = _total(data)
    share = total.cells[2] if len(data.areas) > 1 else _measurement(data, data.areas[0])[0]
    if share is not None and (newest_years := data.years.get("required_total")):
        period = period_words(Series.DELIVERY_TEST, *newest_years)
        sentences.append(f"Housing Delivery Test, {period}: {share}% of the homes required were delivered.")
    if isinstance(net_additions := total.cells[4], int) and (newest_years := data.years.get("net_additions")):
        sentences.append(
            f"Net additional dwellings in {period_words(Series.NET_ADDITIONS, *newest_years)}: {figure(net_additions)}."
        )
    return tuple(sentences)


NEED_AND_SUPPLY = Report(
    slug="need-and-supply",
    title="Need and supply",
    about="Compare homes in plans with requirements, the delivery test, net additions and waiting lists.",
    group="Homes",
    form=DistrictFilters,
    compute=_compute,
)
