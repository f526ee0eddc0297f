"""The council areas (districts) that a report's filters choose, and the organisations and areas that cover them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from partnerships.housing_figures.queries import Lineage, current_districts, district_lookups, lineages
from partnerships.kit.forms import Form
from partnerships.kit.record_fields import RecordsField
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Area, AreaKind, AreaServed, Kind, Organisation
from partnerships.organisations.statements import lookup, read_ahead, rows_for


class DistrictFilters(Form):
    """Filters for council areas by name, by a council that serves them, or by a county or region around them."""

    area = RecordsField(label="Council areas", queryset=Area.objects.none(), named_by="name")
    council = RecordsField(label="Areas of councils", queryset=Organisation.objects.none(), named_by="name")
    within = RecordsField(label="Areas in counties and regions", queryset=Area.objects.none(), named_by="name")

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        today = timezone.localdate()
        has_not_ended = Q(valid_to=None) | Q(valid_to__gt=today)
        areas = Area.objects.filter(has_not_ended).order_by("name", "code")
        fields: Mapping[str, Any] = self.fields
        fields["area"].queryset = areas.filter(kind=AreaKind.DISTRICT)
        fields["within"].queryset = areas.filter(
            kind__in=(AreaKind.COUNTY, AreaKind.REGION, AreaKind.COMBINED_AUTHORITY)
        )
        serving = AreaServed.objects.exclude(ends_on__lte=today).values("organisation")
        fields["council"].queryset = _present(today).filter(pk__in=serving).order_by("name", "pk")


#: Kinds of organisation that have council areas.
_COUNCILS = (Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY)
#: Kinds of area for which the directory lists no districts. They cover the districts that their organisations serve.
_WIDER = (AreaKind.COMBINED_AUTHORITY, AreaKind.LEP, AreaKind.NATION)


def _present(today: dt.date) -> QuerySet[Organisation]:
    """Return the councils and strategic authorities that exist on a day."""
    has_not_ended = Q(valid_to=None) | Q(valid_to__gt=today)
    return Organisation.objects.filter(has_not_ended, kind__in=_COUNCILS)


def _served_areas(*, today: dt.date) -> QuerySet[AreaServed, tuple[int, int]]:
    """Return each council, strategic authority and organisation of a wider area with each area that it serves."""
    rows = AreaServed.objects.exclude(ends_on__lte=today).exclude(starts_on__gt=today)
    wider_bodies = rows.filter(area__kind__in=_WIDER).values("organisation")
    rows = rows.filter(Q(organisation__kind__in=_COUNCILS) | Q(organisation__in=wider_bodies))
    return rows.values_list("organisation_id", "area_id")


def _wider_areas() -> QuerySet[Area, tuple[int, str]]:
    """Return the id and the kind of each wider area."""
    return Area.objects.filter(kind__in=_WIDER).values_list("pk", "kind")


@dataclass(frozen=True)
class Districts:
    """The council areas of a day, with the counties, regions and former areas that cover them."""

    today: dt.date
    areas: list[Area]
    lineages: Mapping[int, Lineage]

    @classmethod
    def on(cls, today: dt.date) -> Districts:
        """Read the districts of a day, together with the areas that `ids_by_area` needs."""
        read_ahead([*district_lookups(today), lookup(_served_areas, today=today), lookup(_wider_areas)])
        areas = current_districts(today)
        return cls(today, areas, lineages(areas, today))

    @cached_property
    def _served(self) -> dict[int, set[int]]:
        """The areas that councils, strategic authorities and organisations of wider areas serve, by organisation."""
        areas_served: dict[int, set[int]] = defaultdict(set)
        for body, area in rows_for(_served_areas, today=self.today):
            areas_served[body].add(area)
        return areas_served

    @cached_property
    def ids_by_area(self) -> dict[int, set[int]]:
        """Return the ids of the districts that each area covers.

        For example, a county covers its districts, and a former district the districts that replaced it.
        """
        districts_by_area: dict[int, set[int]] = defaultdict(set)
        for area in self.areas:
            for former_or_present_id in self.lineages[area.pk].all_area_ids():
                districts_by_area[former_or_present_id].add(area.pk)
            for containing_id in (area.parent_id, area.region_id):
                if containing_id is not None:
                    districts_by_area[containing_id].add(area.pk)

        district_ids = {area.pk for area in self.areas}
        kind_by_wider_area = dict(rows_for(_wider_areas))
        # An organisation that serves a wider area also has a row for each district in it.
        for served_ids in self._served.values():
            for wider_id in served_ids & kind_by_wider_area.keys():
                districts_by_area[wider_id] |= served_ids & district_ids
        for wider_id, kind in kind_by_wider_area.items():
            if kind == AreaKind.NATION:
                districts_by_area[wider_id] |= district_ids
        return districts_by_area

    def of_areas(self, area_ids: Iterable[int]) -> set[int]:
        """Return the ids of the districts that these areas cover."""
        return {district for area in area_ids for district in self.ids_by_area.get(area, ())}

    @cached_property
    def _serving_bodies(self) -> list[Organisation]:
        """The councils and strategic authorities that serve areas, by name, with only their name and kind."""
        bodies = _present(self.today).order_by("name", "pk").only("name", "kind")
        return [body for body in bodies if body.pk in self._served]

    @property
    def council_names(self) -> dict[int, str]:
        """Return the names of the councils and strategic authorities that serve areas, by id."""
        return {body.pk: body.name for body in self._serving_bodies}

    def of_bodies(self, bodies: Iterable[int]) -> set[int]:
        """Return the ids of the districts that the councils among these organisations serve.

        If there is no council among them, return the districts that any of them serves.
        """
        body_ids = list(bodies)
        serving_ids = [body for body in body_ids if body in self.council_names] or body_ids
        return self.of_areas({area for body in serving_ids for area in self._served.get(body, ())})

    def councils(self) -> dict[int, list[str]]:
        """Return the names of the councils whose own area is the district, by the district's id."""
        names: dict[int, list[str]] = defaultdict(list)
        for body in self._serving_bodies:
            for area in self._served[body.pk] & self.lineages.keys() if body.kind == Kind.COUNCIL else ():
                names[area].append(body.name)
        return names

    def chosen(self, filters: Mapping[str, Any]) -> list[Area]:
        """Return the districts that match every chosen filter of `DistrictFilters`. Without filters, return all."""
        ids_by_filter = {
            "area": {area.pk for area in _records(filters.get("area"))},
            "within": self.of_areas(area.pk for area in _records(filters.get("within"))),
            "council": self.of_bodies(council.pk for council in _records(filters.get("council"))),
        }
        allowed_ids = [ids for name, ids in ids_by_filter.items() if filters.get(name)]
        return [area for area in self.areas if all(area.pk in ids for ids in allowed_ids)]


def _records(chosen: Collection[Any] | None) -> list[Any]:
    """Return the chosen areas or organisations, without those that the reader may not choose."""
    return [record for record in chosen or () if isinstance(record, Area | Organisation)]
