"""Published figures of council areas, with those of the areas before them.

Everybody signed in may read them: they are published.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from partnerships.housing_figures.models import Dataset, Figure
from partnerships.housing_figures.summing import NOTHING, Part, Required, Said, required_a_year, said_of
from partnerships.organisations.lineage import followed_alone
from partnerships.organisations.models import Area, AreaKind, AreaServed, Identifier, Kind, Scheme

#: A measure and the years of a figure.
Key = tuple[str, int, int]
#: Rows of datasets by area and key.
Rows = dict[int, dict[Key, list[Part]]]


@dataclass(frozen=True, slots=True)
class Lineage:
    """An area of a council, by all its codes, and those of the councils that its council alone followed.

    `area` is the present one's id; 0 where there is none.
    """

    name: str
    area: int
    codes: frozenset[int]
    before: tuple[Lineage, ...] = ()

    def everything(self) -> set[int]:
        """The ids of all its areas, past ones included."""
        return {*self.codes, *(area for older in self.before for area in older.everything())}


@dataclass(frozen=True, slots=True)
class AreaFigures:
    """What the newest datasets say of one area, by measure and years."""

    figures: Mapping[Key, Said]

    def of(self, measure: str, first: int, last: int) -> Said:
        """The figure of these years."""
        return self.figures.get((measure, first, last), NOTHING)


def newest_years(figures: Iterable[AreaFigures]) -> dict[str, tuple[int, int]]:
    """The newest years of each measure that have a value or words: the first and the last."""
    found: dict[str, tuple[int, int]] = {}
    for one in figures:
        for (measure, first, last), said in one.figures.items():
            if said.value is not None or said.words:
                found[measure] = max(found.get(measure, (0, 0)), (last, first))
    return {measure: (first, last) for measure, (last, first) in found.items()}


def present_districts(on: dt.date) -> list[Area]:
    """The areas of councils that plan for homes on a day, by name.

    Without older codes of councils: areas that no body serves, whose code is one of a council's.
    """
    served = AreaServed.objects.exclude(ends_on__lte=on).values("area")
    codes = Identifier.objects.filter(scheme=Scheme.GSS).values("value")
    begun = Q(valid_from=None) | Q(valid_from__lte=on)
    going_on = Q(valid_to=None) | Q(valid_to__gt=on)
    areas = Area.objects.filter(begun, going_on, kind=AreaKind.DISTRICT).exclude(~Q(pk__in=served), code__in=codes)
    return list(areas.order_by("name", "code"))


def lineages(areas: Collection[Area], on: dt.date) -> dict[int, Lineage]:
    """What came before each of these areas, by id; three queries.

    An older code of the same council is the same area. The areas of councils that one council alone followed came
    before its area. Where a council serves several areas of today, nothing says which of them came before which.
    """
    present = {area.pk for area in areas}
    rows = AreaServed.objects.filter(organisation__kind=Kind.COUNCIL, area__kind=AreaKind.DISTRICT)
    ever: dict[int, dict[int, str]] = defaultdict(dict)
    now: dict[int, set[int]] = defaultdict(set)
    for body, area, name, starts, ends in rows.values_list(
        "organisation_id", "area_id", "area__name", "starts_on", "ends_on"
    ):
        ever[body][area] = name
        if area in present and (starts is None or starts <= on) and (ends is None or ends > on):
            now[body].add(area)
    past = _Past(ever, present, followed_alone())
    found: dict[int, Lineage] = {}
    for body, served in sorted(now.items()):
        if len(served) == 1:
            area = next(iter(served))
            lineage = past.lineage(body, area, frozenset())
            if area not in found or (lineage.before and not found[area].before):
                found[area] = lineage
    return {area.pk: found.get(area.pk, Lineage(area.name, area.pk, frozenset({area.pk}))) for area in areas}


@dataclass(frozen=True, slots=True)
class _Past:
    """Areas that bodies ever served, those of today, and which bodies each body alone followed."""

    ever: Mapping[int, Mapping[int, str]]
    present: Collection[int]
    followed: Mapping[int, Collection[int]]

    def lineage(self, body: int, area: int, seen: frozenset[int]) -> Lineage:
        """The areas of a body and of those before it.

        `area` is its present one, if any.
        """
        older = sorted(set(self.followed.get(body, ())) - seen - {body})
        lines = [self.lineage(line, 0, seen | {body}) for line in older]
        before = tuple(line for line in lines if line.codes or line.before)
        gone = {one for line in before for one in line.everything()}
        served = self.ever.get(body, {})
        codes = set(served) - set(self.present) - gone
        name = served[area] if area else " and ".join(served[line] for line in sorted(codes))
        return Lineage(name, area, frozenset(codes | ({area} if area else set())), before)


def newest_datasets() -> dict[str, Dataset]:
    """The dataset of each series that pages show."""
    return {dataset.series: dataset for dataset in Dataset.objects.newest()}


def figures_of(
    areas: Mapping[int, Lineage],
    datasets: Iterable[Dataset],
    measures: Collection[str],
    *,
    last_year: int | None = None,
) -> dict[int, AreaFigures]:
    """Figures of these areas in the datasets, except those of plans; of one year if given. One query."""
    wanted = {one for of in areas.values() for one in of.everything()}
    rows: Rows = defaultdict(lambda: defaultdict(list))
    found = Figure.objects.filter(dataset__in=list(datasets), area__in=wanted, measure__in=measures, plan="")
    if last_year is not None:
        found = found.filter(last_year=last_year)
    for area, measure, first, last, value, status, is_joint, words in found.values_list(
        "area_id", "measure", "first_year", "last_year", "value", "status", "is_joint", "words"
    ):
        rows[area][measure, first, last].append(Part(value, status, is_joint, words))
    return {
        area: AreaFigures({key: _said(of, key, rows) for key in {key for one in of.everything() for key in rows[one]}})
        for area, of in areas.items()
    }


def _said(of: Lineage, key: Key, rows: Rows) -> Said:
    """The figure of an area.

    It comes from the rows of its present code, else of its older ones, else of the areas before.
    """
    present = rows[of.area].get(key, [])
    older = [part for code in sorted(of.codes - {of.area}) for part in rows[code].get(key, ())]
    own = present if not older or any(part.value is not None for part in present) else older
    return said_of(own, {one.name: _said(one, key, rows) for one in of.before})


@dataclass(frozen=True, slots=True)
class Requirements:
    """The homes that plans require of an area a year, and the figures of all its plans."""

    a_year: Said
    plans: tuple[Figure, ...]


def requirements_of(areas: Mapping[int, Lineage], dataset: Dataset | None, year: int) -> dict[int, Requirements]:
    """What plans require of each area in a year, and all of its plans, the one adopted last first; one query.

    Plans of the areas before it stay in force until the new council has a plan of its own.
    """
    rows: dict[int, list[Figure]] = defaultdict(list)
    if dataset is not None:
        wanted = {one for of in areas.values() for one in of.everything()}
        for figure in dataset.figures.filter(area__in=wanted).exclude(plan="").order_by("plan", "row", "measure"):
            rows[figure.area_id].append(figure)
    return {
        area: Requirements(
            _required(of, rows, year),
            tuple(
                sorted(
                    (figure for one in sorted(of.everything()) for figure in rows[one]),
                    key=lambda figure: figure.adopted_on or dt.date.min,
                    reverse=True,
                )
            ),
        )
        for area, of in areas.items()
    }


def _required(of: Lineage, rows: Mapping[int, list[Figure]], year: int) -> Said:
    plans = [
        Required(
            first_year=figure.first_year,
            last_year=figure.last_year,
            value=figure.value,
            is_a_year="a_year" in figure.measure,
            is_joint=figure.is_joint,
            adopted_on=figure.adopted_on,
        )
        for code in sorted(of.codes)
        for figure in rows.get(code, ())
        if not figure.measure.endswith("_most")
    ]
    return said_of(required_a_year(plans, year), {one.name: _required(one, rows, year) for one in of.before})
