"""Which places an entry reaches, as keys that find its counterparts: a county has its districts, successors inherit.

Pure: areas are numbers, and the caller brings what is known of them (`Places`). Two entries can meet where their
reaches have a key in common, so that one index over the keys finds candidates without comparing all with all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

#: Keys are theme times this, plus area; more areas than that a country has not.
THEME_STEP = 10_000_000


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of areas: the parts of each (a county's districts), the heirs of those that ended, their region."""

    parts: Mapping[int, Collection[int]] = field(default_factory=dict)
    heirs: Mapping[int, Collection[int]] = field(default_factory=dict)
    region: Mapping[int, int] = field(default_factory=dict)


def covered(chosen: Iterable[int], places: Places) -> frozenset[int]:
    """The chosen areas with all their parts, and the areas that inherited any of these, with their parts in turn."""
    found: set[int] = set()
    waiting = list(chosen)
    while waiting:
        area = waiting.pop()
        if area in found:
            continue
        found.add(area)
        waiting.extend(places.parts.get(area, ()))
        waiting.extend(places.heirs.get(area, ()))
    return frozenset(found)


def near_keys(theme: int, chosen: Iterable[int], places: Places) -> frozenset[int]:
    """Keys of one theme in the very places: shared by entries that can meet there."""
    return frozenset(theme * THEME_STEP + area for area in covered(chosen, places))


def far_keys(theme: int, chosen: Iterable[int], places: Places) -> frozenset[int]:
    """Keys of one theme in the regions those places lie in; below nought, so that they never equal a near key.

    Where no place is known at all, the one key `anywhere`.
    """
    regions = {places.region[area] for area in covered(chosen, places) if area in places.region}
    return frozenset(-(theme * THEME_STEP + region) for region in regions) or frozenset({anywhere(theme)})


def anywhere(theme: int) -> int:
    """The key of one theme without a place."""
    return -(theme * THEME_STEP)


def keys(theme: int, chosen: Collection[int], places: Places) -> list[int]:
    """Everything one entry can be found by, in order."""
    return sorted(near_keys(theme, chosen, places) | far_keys(theme, chosen, places))


def place_of(key: int) -> int:
    """The area that a near key stands for."""
    return key % THEME_STEP
