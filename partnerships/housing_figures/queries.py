"""Published figures of council areas, including those of the councils that an area's council followed.

Everybody who is signed in may read the figures, because they are published.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from partnerships.housing_figures.models import Dataset, Figure
from partnerships.housing_figures.summing import (
    NOTHING,
    AreaFigure,
    Part,
    Required,
    figure_of_area,
    required_a_year,
)
from partnerships.kit.dates import covers
from partnerships.kit.text import listed
from partnerships.organisations.lineage import predecessors_by_sole_successor, sole_successions
from partnerships.organisations.models import Area, AreaKind, AreaServed, Identifier, Kind, Scheme
from partnerships.organisations.statements import Lookup, lookup, rows_for

#: The measure, the first and the last year of a figure.
FigureKey = tuple[str, int, int]
#: The rows of datasets by area id and then by key.
RowsByArea = dict[int, dict[FigureKey, list[Part]]]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The area of a council, and the areas of the predecessors that only this council followed."""

    name: str
    #: The area with the council's current code, or 0 if the council has ended.
    area_id: int
    #: The areas with the council's current and older codes.
    own_area_ids: frozenset[int]
    #: The lineages of the predecessors.
    predecessors: tuple[Lineage, ...] = ()

    def all_area_ids(self) -> set[int]:
        """Return the ids of all areas of the council and of its predecessors."""
        area_ids = set(self.own_area_ids)
        for predecessor in self.predecessors:
            area_ids |= predecessor.all_area_ids()
        return area_ids


@dataclass(frozen=True, slots=True)
class AreaFigures:
    """The figures of one area, by measure and years."""

    figures: Mapping[FigureKey, AreaFigure]

    def of(self, measure: str, first: int, last: int) -> AreaFigure:
        """Return the figure of a measure in these years, or `NOTHING` if there is none."""
        return self.figures.get((measure, first, last), NOTHING)


def newest_years(figures: Iterable[AreaFigures]) -> dict[str, tuple[int, int]]:
    """Return the first and last year of the newest figure of each measure, among those with a value or words."""
    years_by_measure: dict[str, tuple[int, int]] = {}
    for area_figures in figures:
        for (measure, first, last), figure in area_figures.figures.items():
            is_published = figure.value is not None or bool(figure.words)
            newest_first, newest_last = years_by_measure.get(measure, (0, 0))
            # Of figures that end in the same year, the one for the shortest time is the newest.
            if is_published and (last, first) > (newest_last, newest_first):
                years_by_measure[measure] = (first, last)
    return years_by_measure


def current_districts(on: dt.date) -> list[Area]:
    """Return the areas of the councils that plan for homes on a day, ordered by name."""
    return rows_for(_districts, on=on)


def _districts(*, on: dt.date) -> QuerySet[Area]:
    """Return the areas of the councils that plan for homes on a day, ordered by name.

    Areas with older codes of councils are left out. No council serves such an area, although its code is one of a
    council's identifiers.
    """
    served_areas = AreaServed.objects.exclude(ends_on__lte=on).values("area")
    council_codes = Identifier.objects.filter(scheme=Scheme.GSS).values("value")
    areas = Area.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=on),
        Q(valid_to=None) | Q(valid_to__gt=on),
        kind=AreaKind.DISTRICT,
    )
    areas = areas.exclude(~Q(pk__in=served_areas), code__in=council_codes)
    return areas.order_by("name", "code")


def _council_services() -> QuerySet[AreaServed, tuple[int, int, str, dt.date | None, dt.date | None]]:
    """Return a row for each council and district that it serves or served, with the district's name and the dates."""
    services = AreaServed.objects.filter(organisation__kind=Kind.COUNCIL, area__kind=AreaKind.DISTRICT)
    return services.values_list("organisation_id", "area_id", "area__name", "starts_on", "ends_on")


def district_lookups(on: dt.date) -> list[Lookup]:
    """Return the lookups that `current_districts` and `lineages` need, so that a page can `read_ahead`."""
    return [lookup(_districts, on=on), lookup(_council_services), lookup(sole_successions)]


def lineages(areas: Collection[Area], on: dt.date) -> dict[int, Lineage]:
    """Return the lineage of each of these areas, by area id. Uses three queries.

    An older code of a council belongs to the same area as its current code. If a council serves several current areas,
    we cannot know which of them its predecessors served, so each lineage has only the area itself.
    """
    current_ids = {area.pk for area in areas}
    name_by_area_by_council: dict[int, dict[int, str]] = defaultdict(dict)
    current_areas_by_council: dict[int, set[int]] = defaultdict(set)
    for council, area_id, name, starts_on, ends_on in rows_for(_council_services):
        name_by_area_by_council[council][area_id] = name
        if area_id in current_ids and covers(starts_on, ends_on, on):
            current_areas_by_council[council].add(area_id)

    tracer = _LineageTracer(
        name_by_area_by_council=name_by_area_by_council,
        present_area_ids=current_ids,
        predecessors_by_council=predecessors_by_sole_successor(),
    )

    lineage_by_area: dict[int, Lineage] = {}
    for council, area_ids in sorted(current_areas_by_council.items()):
        if len(area_ids) > 1:
            continue
        [area_id] = area_ids
        lineage = tracer.lineage(council, area_id)
        earlier_lineage = lineage_by_area.get(area_id)
        # If several councils serve an area, prefer a lineage with predecessors, then that of the lowest id.
        if earlier_lineage is None or (lineage.predecessors and not earlier_lineage.predecessors):
            lineage_by_area[area_id] = lineage

    for area in areas:
        if area.pk not in lineage_by_area:
            lineage_by_area[area.pk] = Lineage(name=area.name, area_id=area.pk, own_area_ids=frozenset({area.pk}))
    return {area.pk: lineage_by_area[area.pk] for area in areas}


@dataclass(frozen=True, slots=True)
class _LineageTracer:
    """Follows a council's predecessors back to the areas that they served."""

    #: The names of all areas that a council ever served, by council id and then by area id.
    name_by_area_by_council: Mapping[int, Mapping[int, str]]
    present_area_ids: Collection[int]
    #: The ids of predecessors by the id of their only successor.
    predecessors_by_council: Mapping[int, Collection[int]]

    def lineage(self, council: int, area: int, visited: frozenset[int] = frozenset()) -> Lineage:
        """Return the areas of a council and of its predecessors.

        `area` is the id of the council's current area, or 0 if the council has ended. `visited` has the councils that
        this call came from, so that a cycle of successions ends.
        """
        visited |= {council}
        predecessor_ids = sorted(set(self.predecessors_by_council.get(council, ())) - visited)
        known_lineages = [self.lineage(predecessor_id, 0, visited) for predecessor_id in predecessor_ids]
        predecessors = tuple(lineage for lineage in known_lineages if lineage.own_area_ids or lineage.predecessors)

        name_by_area = self.name_by_area_by_council.get(council, {})
        older_ids = set(name_by_area) - set(self.present_area_ids) - _area_ids(predecessors)
        if not area:
            name = listed(name_by_area[area_id] for area_id in sorted(older_ids))
            return Lineage(name=name, area_id=0, own_area_ids=frozenset(older_ids), predecessors=predecessors)
        return Lineage(
            name=name_by_area[area],
            area_id=area,
            own_area_ids=frozenset(older_ids | {area}),
            predecessors=predecessors,
        )


def newest_datasets() -> dict[str, Dataset]:
    """Return the newest dataset of each series, which pages show."""
    return {dataset.series: dataset for dataset in Dataset.objects.newest()}


def figures_of(
    areas: Mapping[int, Lineage],
    datasets: Iterable[Dataset],
    measures: Collection[str],
    *,
    last_year: int | None = None,
) -> dict[int, AreaFigures]:
    """Return the figures of these areas in the datasets, without requirements of plans. Uses one query.

    `areas` has the lineages by area id. With `last_year`, only the figures of that year are returned.
    """
    figures = Figure.objects.filter(
        dataset__in=list(datasets), area__in=_area_ids(areas.values()), measure__in=measures, plan=""
    )
    if last_year is not None:
        figures = figures.filter(last_year=last_year)

    rows_by_area: RowsByArea = defaultdict(lambda: defaultdict(list))
    for row in figures.values_list(
        "area_id", "measure", "first_year", "last_year", "value", "status", "is_joint", "words", named=True
    ):
        part = Part(value=row.value, status=row.status, is_joint=row.is_joint, words=row.words)
        rows_by_area[row.area_id][row.measure, row.first_year, row.last_year].append(part)

    figures_by_area = {}
    for area_id, lineage in areas.items():
        keys: set[FigureKey] = set()
        for lineage_area_id in lineage.all_area_ids():
            keys.update(rows_by_area[lineage_area_id])
        figures_by_area[area_id] = AreaFigures({key: _figure(lineage, key, rows_by_area) for key in keys})
    return figures_by_area


def _area_ids(lineages_of_areas: Iterable[Lineage]) -> set[int]:
    """Return the ids of all areas in these lineages."""
    return set[int]().union(*(lineage.all_area_ids() for lineage in lineages_of_areas))


def _figure(lineage: Lineage, key: FigureKey, rows_by_area: RowsByArea) -> AreaFigure:
    """Return the figure of an area.

    The rows of its current code are preferred to those of its older codes, and these to the figures of predecessors.
    """
    rows_of_current_code = rows_by_area[lineage.area_id].get(key, [])
    rows_of_older_codes: list[Part] = []
    for older_area_id in sorted(lineage.own_area_ids - {lineage.area_id}):
        rows_of_older_codes += rows_by_area[older_area_id].get(key, [])

    has_current_value = any(part.value is not None for part in rows_of_current_code)
    own_rows = rows_of_current_code if has_current_value or not rows_of_older_codes else rows_of_older_codes
    figures_of_predecessors = {
        predecessor.name: _figure(predecessor, key, rows_by_area) for predecessor in lineage.predecessors
    }
    return figure_of_area(own_rows, figures_of_predecessors)


@dataclass(frozen=True, slots=True)
class Requirements:
    """The homes a year that plans require of an area, and the figures of all its plans."""

    homes_a_year: AreaFigure
    #: The figures of all plans. The plan that was adopted last is first.
    plans: tuple[Figure, ...]


def requirements_of(areas: Mapping[int, Lineage], dataset: Dataset | None, year: int) -> dict[int, Requirements]:
    """Return the homes a year that local plans require, by area id. Uses one query.

    Until a new council adopts a plan of its own, the plans of its predecessors are used. Without a dataset, every area
    has empty requirements.
    """
    figures_by_area: dict[int, list[Figure]] = defaultdict(list)
    if dataset is not None:
        figures = dataset.figures.filter(area__in=_area_ids(areas.values())).exclude(plan="")
        for figure in figures.order_by("plan", "row", "measure"):
            figures_by_area[figure.area_id].append(figure)

    requirements = {}
    for area_id, lineage in areas.items():
        plan_figures = [
            figure for lineage_area_id in sorted(lineage.all_area_ids()) for figure in figures_by_area[lineage_area_id]
        ]
        plan_figures.sort(key=lambda figure: figure.adopted_on or dt.date.min, reverse=True)
        requirements[area_id] = Requirements(
            homes_a_year=_required_of_area(lineage, figures_by_area, year), plans=tuple(plan_figures)
        )
    return requirements


def _required_of_area(lineage: Lineage, figures_by_area: Mapping[int, list[Figure]], year: int) -> AreaFigure:
    """Return the requirement of an area in a year. If a plan gives a range, its lower end is used."""
    plans = [
        Required(
            first_year=figure.first_year,
            last_year=figure.last_year,
            value=figure.value,
            is_a_year="a_year" in figure.measure,
            is_joint=figure.is_joint,
            adopted_on=figure.adopted_on,
        )
        for own_area_id in sorted(lineage.own_area_ids)
        for figure in figures_by_area.get(own_area_id, ())
        if not figure.measure.endswith("_most")
    ]
    figures_of_predecessors = {
        predecessor.name: _required_of_area(predecessor, figures_by_area, year) for predecessor in lineage.predecessors
    }
    return figure_of_area(required_a_year(plans, year), figures_of_predecessors)
