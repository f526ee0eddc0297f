"""Turns the theme and the areas of an entry into integer keys, by which matching finds the entry. Uses no database.

Two entries can match if they have a key in common. So an index over the keys finds candidates, and entries need not be
compared one with another. Areas are given as ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

#: A key is the theme's number times this, plus the area's id. The step must be greater than the number of areas.
THEME_STEP = 10_000_000


@dataclass(frozen=True, slots=True)
class Places:
    """The parts, the successors and the region of each area, by the id of the area."""

    #: For example, the districts of a county.
    parts: Mapping[int, Collection[int]] = field(default_factory=dict)
    successors: Mapping[int, Collection[int]] = field(default_factory=dict)
    region: Mapping[int, int] = field(default_factory=dict)


def covered_areas(area_ids: Iterable[int], places: Places) -> frozenset[int]:
    """Return the areas with their parts and successors at any depth.

    For example, a county covers its districts, and the new district that took the place of one of these.
    """
    covered_ids: set[int] = set()
    unvisited_ids = list(area_ids)
    while unvisited_ids:
        area = unvisited_ids.pop()
        if area in covered_ids:
            continue
        covered_ids.add(area)
        unvisited_ids.extend(places.parts.get(area, ()))
        unvisited_ids.extend(places.successors.get(area, ()))
    return frozenset(covered_ids)


def near_keys(theme: int, chosen: Iterable[int], places: Places) -> frozenset[int]:
    """Return the keys for a theme in these areas and in all areas that these cover."""
    return frozenset(theme * THEME_STEP + area for area in covered_areas(chosen, places))


def far_keys(theme: int, chosen: Iterable[int], places: Places) -> frozenset[int]:
    """Return the keys for a theme in the regions of these areas.

    These keys are negative, so that they never equal a near key. Without a region, the only key is `anywhere`.
    """
    regions = {places.region[area] for area in covered_areas(chosen, places) if area in places.region}
    return frozenset(-(theme * THEME_STEP + region) for region in regions) or frozenset({anywhere_key(theme)})


def anywhere_key(theme: int) -> int:
    """Return the key for a theme without a place."""
    return -(theme * THEME_STEP)


def matching_keys(theme: int, chosen: Collection[int], places: Places) -> list[int]:
    """Return all keys of an entry, sorted so that entries with the same keys have equal lists."""
    return sorted(near_keys(theme, chosen, places) | far_keys(theme, chosen, places))


def area_of_key(key: int) -> int:
    """Return the area of a near key."""
    return key % THEME_STEP
