"""Areas for matching: parts, successors, regions, and who serves them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.exchange.reach import Places
from partnerships.organisations.models import CERTAIN, Area, AreaKind, AreaServed, SuccessionKind, SuccessionTie

#: Kinds of succession that move no boundary: the successor does not take over the area.
_SAME_AREA = (SuccessionKind.RENAME, SuccessionKind.CONVERSION, SuccessionKind.FUNCTION_TRANSFER)


@dataclass(frozen=True, slots=True)
class KnownPlaces:
    """The areas in the register."""

    areas: Places

    def served_by(self, organisation_id: int) -> list[int]:
        """Ids of the areas that the organisation serves today."""
        served = _served_on(timezone.localdate()).filter(organisation=organisation_id)
        return list(served.values_list("area_id", flat=True))


def _served_on(day: dt.date) -> QuerySet[AreaServed]:
    begun = Q(starts_on=None) | Q(starts_on__lte=day)
    return AreaServed.objects.filter(begun, Q(ends_on=None) | Q(ends_on__gt=day))


def served_by_all(day: dt.date) -> dict[int, list[int]]:
    """Ids of the areas that each organisation serves on a date."""
    served: dict[int, list[int]] = defaultdict(list)
    for organisation, area in _served_on(day).values_list("organisation_id", "area_id"):
        served[organisation].append(area)
    return served


def known_places() -> KnownPlaces:
    """What matching needs to know about all areas, in three queries."""
    parts: dict[int, set[int]] = defaultdict(set)
    region: dict[int, int] = {}
    ended: set[int] = set()
    rows = Area.objects.values_list("pk", "kind", "parent_id", "region_id", "valid_to")
    for pk, kind, parent, lies_in, valid_to in rows:
        if kind == AreaKind.REGION:
            region[pk] = pk
        if parent:
            parts[parent].add(pk)
        if lies_in:
            parts[lies_in].add(pk)
            region[pk] = lies_in
        if valid_to:
            ended.add(pk)
    return KnownPlaces(Places(parts=parts, successors=_successors(ended), region=region))


def _successors(ended: set[int]) -> dict[int, set[int]]:
    """For each ended area, the areas that its organisations' successors serve."""
    if not ended:
        return {}
    served: dict[int, set[int]] = defaultdict(set)
    for organisation, area in AreaServed.objects.values_list("organisation_id", "area_id"):
        served[organisation].add(area)
    successors: dict[int, set[int]] = defaultdict(set)
    ties = SuccessionTie.objects.filter(successor__isnull=False, succession__status__in=CERTAIN)
    ties = ties.exclude(succession__kind__in=_SAME_AREA)
    for predecessor, successor in ties.values_list("predecessor", "successor"):
        for area in served.get(predecessor, set()) & ended:
            successors[area] |= served.get(successor, set()) - {area}
    return successors
