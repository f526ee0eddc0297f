"""Fetches the areas for matching, with their parts, successors and regions, and the organisations that serve them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.exchange.reach import Places
from partnerships.kit.database import rows_of
from partnerships.organisations.models import (
    CERTAIN_STATUSES,
    Area,
    AreaKind,
    AreaServed,
    SuccessionKind,
    SuccessionTie,
)

#: Kinds of succession that move no boundary, so that the successor does not take over the predecessor's area.
_SAME_AREA = (SuccessionKind.RENAME, SuccessionKind.CONVERSION, SuccessionKind.FUNCTION_TRANSFER)


@dataclass(frozen=True, slots=True)
class AreaRegister:
    """All areas of the network, and a query for the areas that an organisation serves."""

    places: Places

    def served_by(self, organisation_id: int) -> list[int]:
        """Return the ids of the areas that the organisation serves today."""
        areas_served = _served_on(timezone.localdate()).filter(organisation=organisation_id)
        return list(areas_served.values_list("area_id", flat=True))


def _served_on(day: dt.date) -> QuerySet[AreaServed]:
    """Return the areas that organisations serve on a day. An empty start or end means no limit."""
    has_begun = Q(starts_on=None) | Q(starts_on__lte=day)
    has_not_ended = Q(ends_on=None) | Q(ends_on__gt=day)
    return AreaServed.objects.filter(has_begun, has_not_ended)


def served_by_all(day: dt.date) -> dict[int, list[int]]:
    """Return the ids of the areas that each organisation serves on a day, by the id of the organisation."""
    areas_by_organisation: dict[int, list[int]] = defaultdict(list)
    for organisation, area in _served_on(day).values_list("organisation_id", "area_id"):
        areas_by_organisation[organisation].append(area)
    return areas_by_organisation


def read_areas() -> AreaRegister:
    """Fetch all areas, with three queries."""
    parts: dict[int, set[int]] = defaultdict(set)
    region_by_area: dict[int, int] = {}
    ended_ids: set[int] = set()
    areas = Area.objects.values_list("pk", "kind", "parent_id", "region_id", "valid_to")
    for pk, kind, parent_id, region_id, valid_to in areas:
        if kind == AreaKind.REGION:
            region_by_area[pk] = pk
        if parent_id:
            parts[parent_id].add(pk)
        if region_id:
            parts[region_id].add(pk)
            region_by_area[pk] = region_id
        if valid_to:
            ended_ids.add(pk)
    return AreaRegister(Places(parts=parts, successors=_successors(ended_ids), region=region_by_area))


def _successors(ended_ids: set[int]) -> dict[int, set[int]]:
    """Return, for each area that has ended, the areas that the successors of its organisations serve."""
    if not ended_ids:
        return {}
    areas_by_organisation: dict[int, set[int]] = defaultdict(set)
    for organisation, area in AreaServed.objects.values_list("organisation_id", "area_id"):
        areas_by_organisation[organisation].add(area)
    successors: dict[int, set[int]] = defaultdict(set)
    ties = SuccessionTie.objects.filter(successor__isnull=False, succession__status__in=CERTAIN_STATUSES)
    ties = ties.exclude(succession__kind__in=_SAME_AREA)
    for predecessor, successor in ties.values_list("predecessor", "successor"):
        for area in areas_by_organisation.get(predecessor, set()) & ended_ids:
            successors[area] |= areas_by_organisation.get(successor, set()) - {area}
    return successors


class AreaNames:
    """The names of areas, and the larger areas that each belongs to, fetched once for a run.

    With `only`, a collection of ids, only the names of these areas are fetched.
    """

    def __init__(self, only: Collection[int] | None = None) -> None:
        """Fetch the names, with one query."""
        areas = rows_of(
            "SELECT id, name, parent_id, region_id FROM organisations_area WHERE %s OR id = ANY(%s::int[])",
            [only is None, [] if only is None else list(only)],
        )
        self._name_by_area: dict[int, str] = {}
        self._larger_by_area: dict[int, set[int]] = {}
        for pk, name, parent_id, region_id in areas:
            self._name_by_area[pk] = name
            self._larger_by_area[pk] = {larger for larger in (parent_id, region_id) if larger}

    def of(self, area_ids: set[int]) -> tuple[str, ...]:
        """Return the names of the largest of these areas. For example, a county is named, but not its districts."""
        names = []
        for area in area_ids:
            is_known = area in self._name_by_area
            if is_known and area_ids.isdisjoint(self._larger_by_area[area]):
                names.append(self._name_by_area[area])
        return tuple(sorted(names))
