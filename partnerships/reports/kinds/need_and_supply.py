"""Published housing figures of council areas beside the homes in published plans."""

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
from partnerships.plans.queries.homes_to_come import PlannedNow, homes_now
from partnerships.reports.kinds.affordable_kinds import kinds_table
from partnerships.reports.kinds.districts import DistrictFilters, Districts
from partnerships.reports.kinds.local_plans import plans_table
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import AreaMap, Cell, Chart, Column, Kind, Row, Snapshot, Source, Table

#: Measures of the table of areas that come for each year: the newest is shown.
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
#: Years of published figures that the table by year has.
_PAST_YEARS = 10
#: Plans are listed for no more areas than this.
_FEW_AREAS = 12
_APRIL = 4
_WHOLE, _TENTH = Decimal(1), Decimal("0.1")

_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True)
class _Read:
    """What was read for the report."""

    areas: Sequence[Area]
    datasets: Mapping[str, Dataset]
    figures: Mapping[int, AreaFigures]
    required: Mapping[int, Requirements]
    #: Homes to come in plans by area; those of no area here under 0.
    to_come: Counter[int]
    by_year: Mapping[str, int]
    kinds: Table
    #: The newest years of each measure: the first and the last.
    years: Mapping[str, tuple[int, int]]

    @cached_property
    def said(self) -> dict[int, dict[str, AreaFigure]]:
        """The published figures of each area (id) that a total can have."""
        return {
            area.pk: {"required": self.required[area.pk].a_year}
            | {name: _of(self, area, name) for name in _ADDED if name != "required"}
            for area in self.areas
        }


def _compute(context: ReportContext) -> Snapshot:
    """Published figures of each council area beside the homes in plans."""
    districts = Districts.on(context.today)
    areas = districts.chosen(context.filters)
    read = _read(context, districts, areas)
    tables = [_areas_table(read), _years_table(read, context), read.kinds]
    if 0 < len(areas) <= _FEW_AREAS:
        tables.append(plans_table(areas, read.required))
    return Snapshot(
        report=NEED_AND_SUPPLY.slug,
        title=NEED_AND_SUPPLY.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(read, context),
        tables=tuple(tables),
        charts=(Chart("Net additional dwellings, and homes to come in plans", "years", (2, 5)),),
        maps=(AreaMap("Homes to come in plans, in each council area", "areas", 7),) if areas else (),
        sources=(
            *(_source(read.datasets[series]) for series in Series if series in read.datasets),
            Source("Published versions of plans in Common Ground", context.today),
        ),
        notes=_notes(read),
    )


def _read(context: ReportContext, districts: Districts, areas: Sequence[Area]) -> _Read:
    """Read all figures once; codes of former areas count for the area that followed."""
    lines = {area.pk: districts.lines[area.pk] for area in areas}
    datasets = newest_datasets()
    figures = figures_of(lines, datasets.values(), _MEASURES)
    everything = {one for line in lines.values() for one in line.everything()}
    codes = dict(Area.objects.filter(pk__in=everything).values_list("code", "pk"))
    present = {code: next(iter(districts.of_areas([pk]) & lines.keys()), 0) for code, pk in codes.items()}
    chosen = [*codes] if len(areas) < len(districts.areas) else []
    planned = homes_now(context.reader, chosen or _nowhere(areas), now=context.now)
    return _Read(
        areas=areas,
        datasets=datasets,
        figures=figures,
        required=requirements_of(lines, datasets.get(Series.REQUIREMENTS), context.today.year),
        to_come=_to_come_by(lambda line: present.get(line.area_code, 0), planned),
        by_year=_to_come_by(attrgetter("year"), (line for line in planned if line.homes)),
        kinds=kinds_table(lines, datasets.get(Series.AFFORDABLE_SUPPLY), _to_come_by(attrgetter("tenure"), planned)),
        years=newest_years(figures.values()),
    )


def _to_come_by(key: Callable[[PlannedNow], _Key], planned: Iterable[PlannedNow]) -> Counter[_Key]:
    """The homes to come in plans, summed by what `key` says of each line."""
    homes_to_come: Counter[_Key] = Counter()
    for line in planned:
        homes_to_come[key(line)] += line.to_come
    return homes_to_come


def _nowhere(areas: Sequence[Area]) -> Sequence[str]:
    """No filter for all areas; for no area one that fits nothing."""
    return () if areas else ("-",)


def _of(read: _Read, area: Area, measure: str) -> AreaFigure:
    """The figure of the newest years for an area."""
    first, last = read.years.get(measure, (0, 0))
    return read.figures[area.pk].of(measure, first, last)


def _areas_table(read: _Read) -> Table:
    """A row for each council area; what only some rows need to say stands in their notes."""
    columns = (
        Column("Council area"),
        Column("Required a year", Kind.NUMBER),
        Column(_heading(read, "measurement", Series.DELIVERY_TEST, "Housing Delivery Test"), Kind.SHARE),
        Column(CONSEQUENCE),
        Column(_heading(read, "net_additions", Series.NET_ADDITIONS, "Net additional dwellings"), Kind.NUMBER),
        Column(
            _heading(read, "affordable_completions", Series.AFFORDABLE_SUPPLY, "Affordable homes completed"),
            Kind.NUMBER,
        ),
        Column(_heading(read, "waiting_list", Series.WAITING_LISTS, "Waiting list on 31 March"), Kind.NUMBER),
        Column("Homes to come in plans", Kind.NUMBER),
        Column("Notes"),
    )
    shared = _shared_firmness(read)
    rows = [_area_row(read, area, shared) for area in read.areas]
    has_total = len(rows) > 1
    return Table(
        code="areas",
        title="Each council area",
        columns=columns,
        rows=tuple(rows),
        total=_total(read) if has_total else None,
        note=" ".join(_areas_notes(read, columns, shared)) if has_total else "",
        empty="No council area matches these filters.",
    )


def _areas_notes(read: _Read, columns: Sequence[Column], shared: Mapping[str, str]) -> list[str]:
    """What is true of a whole column, and what the total leaves out."""
    said = [read.said[area.pk] for area in read.areas]
    left_out = {place: sum(not _is_addable(one[name]) for one in said) for name, place in _ADDED.items()}
    lacking = [f"{count:,} for “{columns[place].label}”" for place, count in left_out.items() if count]
    notes = [f"All figures of {_SHORT[name]} are {firmness}." for name, firmness in shared.items()]
    return notes + (
        [f"The total leaves out areas that have no figure of their own: {'; '.join(lacking)}."] if lacking else []
    )


def _heading(read: _Read, measure: str, series: Series, words: str) -> str:
    years = read.years.get(measure)
    return f"{words}, {period_words(series, *years)}" if years else words


def _is_addable(said: AreaFigure) -> bool:
    """Whether a total may have it: the figure of a joint plan is that of several areas."""
    return said.value is not None and said.basis != Basis.JOINT


def _shared_firmness(read: _Read) -> dict[str, str]:
    """What every figure of a measure is, such as provisional: said once, not in each row."""
    firmness_by_measure = {}
    for name in _ADDED if len(read.areas) > 1 else ():
        figures = [said for area in read.areas if (said := read.said[area.pk][name]).value is not None]
        firmness = {said.firmness for said in figures}
        if len(firmness) == 1 and firmness != {""}:
            firmness_by_measure[name] = firmness.pop()
    return firmness_by_measure


def _area_row(read: _Read, area: Area, shared: Mapping[str, str]) -> Row:
    """The figures of one area, with notes on where each comes from."""
    measured, tested_note = _measurement(read, area)
    said = read.said[area.pk]
    required = said["required"]
    known = {name: one.origin if name in shared else one.note for name, one in said.items()}
    notes = [f"{_SHORT[name]}: {words}" for name, words in known.items() if words]
    notes += [f"delivery test: {tested_note}"] if tested_note else []
    cells = (
        area.name,
        _whole(required.value),
        measured,
        _of(read, area, "consequence").words,
        _whole(said["net_additions"].value),
        _whole(said["affordable_completions"].value),
        _whole(said["waiting_list"].value),
        read.to_come[area.pk],
        "; ".join(notes),
    )
    return Row(cells, key=area.code)


#: Measures that are added up over areas, with their columns.
_ADDED = {"required": 1, "net_additions": 4, "affordable_completions": 5, "waiting_list": 6}
_SHORT = {
    "required": "requirement",
    "net_additions": "net additions",
    "affordable_completions": "affordable homes",
    "waiting_list": "waiting list",
}


def _measurement(read: _Read, area: Area) -> tuple[Decimal | None, str]:
    """The test in per cent, as published or worked out from the areas before it, and what to know of it."""
    published = _of(read, area, "measurement")
    if published.value is not None and published.basis in (Basis.OWN, Basis.JOINT):
        return (published.value * 100).quantize(_TENTH), published.note
    delivered, required = _of(read, area, "delivered_total"), _of(read, area, "required_total")
    if delivered.value is None or not required.value:
        return None, required.note if required.basis == Basis.INCOMPLETE else ""
    return (delivered.value * 100 / required.value).quantize(_TENTH), f"worked out from the {delivered.note}"


def _whole(value: Decimal | None) -> int | None:
    return None if value is None else int(value.quantize(_WHOLE))


def _total(read: _Read) -> Row:
    """The sums. The delivery test is of all areas with one of their own, from homes delivered and required."""

    def added(name: str) -> int | None:
        values = [_whole(said.value) for area in read.areas if _is_addable(said := read.said[area.pk][name])]
        return sum(value for value in values if value is not None) if values else None

    to_come = sum(read.to_come[area.pk] for area in read.areas)
    delivered = required = Decimal(0)
    for area in read.areas:
        of, by = _of(read, area, "delivered_total"), _of(read, area, "required_total")
        if of.value is not None and by.value is not None and Basis.JOINT not in (of.basis, by.basis):
            delivered, required = delivered + of.value, required + by.value
    share: Cell = (delivered * 100 / required).quantize(_TENTH) if required else None
    published = (added("net_additions"), added("affordable_completions"), added("waiting_list"))
    return Row(("All areas", added("required"), share, "", *published, to_come, ""), key="total")


def _years_table(read: _Read, context: ReportContext) -> Table:
    """Published figures of past years, and the homes to come in plans, year by year, for all chosen areas together."""
    now = context.today.year if context.today.month >= _APRIL else context.today.year - 1
    planned = {year for year in read.by_year if year}
    past = {financial_year(first) for first in range(now - _PAST_YEARS, now)}
    years = sorted(past | planned)
    required = _summed(read.required[area.pk].a_year for area in read.areas)
    rows = []
    for year in years:
        first = int(year[:4])
        is_financial = "-" in year
        published = [
            _summed(read.figures[area.pk].of(measure, first, first + 1) for area in read.areas)
            if is_financial
            else None
            for measure in ("net_additions", "affordable_starts", "affordable_completions")
        ]
        rows.append(Row((year, required, *published, read.by_year.get(year, 0))))
    if unknown := read.by_year.get("", 0):
        rows.append(Row(("Year not given", None, None, None, None, unknown)))
    columns = (
        Column("Year"),
        Column("Required a year by today’s plans", Kind.NUMBER),
        Column("Net additional dwellings", Kind.NUMBER),
        Column("Affordable homes started", Kind.NUMBER),
        Column("Affordable homes completed", Kind.NUMBER),
        Column("Homes to come in plans", Kind.NUMBER),
    )
    return Table(
        "years",
        "Year by year, all chosen areas together",
        columns,
        tuple(rows),
        note="Financial years begin in April. A cell is empty if the figure is not published for every chosen area.",
    )


def _summed(said: Iterable[AreaFigure]) -> int | None:
    """The sum of figures of areas; None if one of them has none or only that of a joint plan."""
    values = []
    for one in said:
        if one.value is None or one.basis == Basis.JOINT:
            return None
        values.append(one.value)
    return _whole(sum(values, Decimal(0))) if values else None


def _source(dataset: Dataset) -> Source:
    words = f"{SERIES_LABELS[Series(dataset.series)]}: {dataset.publisher}, {dataset.licence}"
    return Source(words, dataset.released_on)


_NOTES = (
    "If one council followed a council that ended, we add their figures together, and the row says so.",
    "If several councils followed, we do not add the old figures to any of them.",
    "A joint plan has one figure for all its areas. We show this figure for each area, and never add it up.",
    "An empty cell means that no figure is published.",
    "“Required a year” comes from the most recently adopted plan for this year. We use the lowest figure of a range.",
    "We divide a plan’s homes evenly over the years of its period.",
    "“Homes to come” counts homes that are not yet completed, in published plans that the reader can see.",
    "Homes at confidential sites count only for people of the plan’s owners and parties.",
)


def _notes(read: _Read) -> tuple[str, ...]:
    """How the figures are made, and what is missing from them."""
    notes = [*_NOTES]
    if elsewhere := read.to_come[0]:
        notes.append(
            f"The plans of {counted(elsewhere, 'home')} to come name no council area, so only the table by year counts "
            "these."
        )
    if missing := [SERIES_LABELS[series] for series in Series if series not in read.datasets]:
        notes.append(f"These figures are not imported yet: {', '.join(missing)}.")
    return tuple(notes)


def _answers(read: _Read, context: ReportContext) -> tuple[str, ...]:
    """The pipeline beside the requirement and the delivery test, in words."""
    if not read.areas:
        return ()
    where = read.areas[0].name if len(read.areas) == 1 else f"the {len(read.areas):,} council areas"
    to_come = sum(homes for area, homes in read.to_come.items() if area)
    required = _summed(read.required[area.pk].a_year for area in read.areas)
    sentences = [f"{counted(to_come, 'home')} to come in {where}, in published plans."]
    if required:
        years = Decimal(to_come) / required
        sentences.append(
            f"Plans require {counted(required, 'home')} a year there, so the homes to come are enough for "
            f"{figure(years.quantize(_TENTH))} years."
        )
    total = _total(read)
    share = total.cells[2] if len(read.areas) > 1 else _measurement(read, read.areas[0])[0]
    if share is not None and (years_of := read.years.get("required_total")):
        period = period_words(Series.DELIVERY_TEST, *years_of)
        sentences.append(f"Housing Delivery Test, {period}: {share}% of the homes required were delivered.")
    if isinstance(net := total.cells[4], int) and (years_of := read.years.get("net_additions")):
        sentences.append(f"Net additional dwellings in {period_words(Series.NET_ADDITIONS, *years_of)}: {figure(net)}.")
    return tuple(sentences)


NEED_AND_SUPPLY = Report(
    slug="need-and-supply",
    title="Need and supply",
    about="Requirements, the delivery test, net additions, affordable homes and waiting lists beside homes in plans.",
    group="Homes",
    form=DistrictFilters,
    compute=_compute,
)
