"""Integer keys for the places an entry reaches, to find matches by. Pure.

Areas are numbers, and the caller passes what is known about them (`Places`). Two entries can match if their keys have
one in common, so an index over the keys finds candidates without comparing everything with everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

#: A key is the theme times this, plus the area. It must be more than the number of areas.
THEME_STEP = 10_000_000


@dataclass(frozen=True, slots=True)
class Places:
    """Parts of areas (a county's districts), their successors and regions."""

    parts: Mapping[int, Collection[int]] = field(default_factory=dict)
    successors: Mapping[int, Collection[int]] = field(default_factory=dict)
    region: Mapping[int, int] = field(default_factory=dict)


def covered(chosen: Iterable[int], places: Places) -> frozenset[int]:
    """The areas with all their parts and successors, and the parts of those."""
    covered_ids: set[int] = set()
    waiting = list(chosen)
    while waiting:
        area = waiting.pop()
        if area in covered_ids:
            continue
        covered_ids.add(area)
        waiting.extend(places.parts.get(area, ()))
        waiting.extend(places.successors.get(area, ()))
    return frozenset(covered_ids)


def near_keys(theme: int, chosen: Iterable[int], places: Places) -> frozenset[int]:
    """Keys for a theme in these places; entries that share one can match."""
    return frozenset(theme * THEME_STEP + area for area in covered(chosen, places))


def far_keys(theme: int, chosen: Iterable[int], places: Places) -> frozenset[int]:
    """Keys for a theme in the regions of these places.

    They are negative, so that they never equal a near key. If no region is known, the only key is `anywhere`.
    """
    regions = {places.region[area] for area in covered(chosen, places) if area in places.region}
    return frozenset(-(theme * THEME_STEP + region) for region in regions) or frozenset({anywhere(theme)})


def anywhere(theme: int) -> int:
    """The key for a theme without a place."""
    return -(theme * THEME_STEP)


def keys(theme: int, chosen: Collection[int], places: Places) -> list[int]:
    """All keys of an entry, in order."""
    return sorted(near_keys(theme, chosen, places) | far_keys(theme, chosen, places))


def place_of(key: int) -> int:
    """The area of a near key."""
    return key % THEME_STEP
