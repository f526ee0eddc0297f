"""Organisations that are linked by partnerships, and what becomes of these without one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from partnerships.agreements.models import LEADING_ROLES, PartyRole
from partnerships.agreements.queries.ties import ROLES, Parts
from partnerships.kit.cutting import cut_apart
from partnerships.kit.late import late
from partnerships.kit.networks import MAX_NODES

if TYPE_CHECKING:
    import numpy as np

    from partnerships.kit.cutting import Numbers
else:
    np = late("numpy")

#: A partnership of this many parties, observers not counted, ends if one of them goes.
_LEAST = 2


class Fate(IntEnum):
    """What becomes of a partnership without one of its parties, the worst first."""

    ENDS = 0
    UNLED = 1
    GOES_ON = 2


@dataclass(frozen=True, slots=True)
class Network:
    """Who takes part in what, and the links that follow from it: 200,000 of them at ten times England.

    Organisations (ids) are in order, and a link has the places of two of them, the lower one first, with how many
    partnerships they have in common. `partners`, `held` and `ending` count for each organisation those it is linked
    with, its partnerships, and those of them that end without it.
    """

    bodies: list[int]
    partnerships: int
    low: Numbers
    high: Numbers
    together: Numbers
    held: Mapping[int, int]
    partners: Mapping[int, int]
    ending: Mapping[int, int]

    @classmethod
    def of(cls, parts: Parts) -> Network:
        """The network of these parts.

        Organisations that share no partnership are in it without links.
        """
        ids, places = np.unique(parts.body, return_inverse=True)
        partnerships, groups = np.unique(parts.partnership, return_inverse=True)
        has_voice = parts.role != ROLES.index(PartyRole.OBSERVER)
        size, bodies = max(len(ids), 1), ids.tolist()
        taking_part = groups * size + places
        low, high, together = _links(*divmod(_sorted(taking_part), size), size)
        voices, who = divmod(_sorted(taking_part[has_voice]), size)
        few = np.bincount(voices, minlength=len(partnerships)) <= _LEAST

        def counts(found: Numbers) -> dict[int, int]:
            return dict(zip(bodies, np.bincount(found, minlength=len(ids)).tolist(), strict=True))

        return cls(
            bodies,
            len(partnerships),
            low,
            high,
            together,
            held=counts(places),
            partners=counts(np.concatenate([low, high])),
            ending=counts(who[few[voices]]),
        )

    def cut_apart(self) -> tuple[list[int], dict[int, list[int]]]:
        """The sizes of its parts, and the single points of failure with the sizes of their pieces."""
        parts, pieces = cut_apart(self.low, self.high)
        return parts, {self.bodies[place]: sizes for place, sizes in pieces.items()}

    def near(self, centre: int) -> set[int]:
        """The organisation and those around it, the nearest and strongest linked first; `MAX_NODES` in all."""
        is_found = np.zeros(len(self.bodies), dtype=bool)
        ring = np.array([self.bodies.index(centre)])
        is_found[ring] = True
        room = MAX_NODES - 1
        while len(ring) and room:
            is_ring = np.zeros(len(self.bodies), dtype=bool)
            is_ring[ring] = True
            strength = np.zeros(len(self.bodies))
            for here, there in ((self.low, self.high), (self.high, self.low)):
                new = is_ring[here] & ~is_found[there]
                strength += np.bincount(there[new], self.together[new], len(self.bodies))
            ring = np.argsort(-strength, kind="stable")[: min(room, np.count_nonzero(strength))]
            is_found[ring] = True
            room -= len(ring)
        return {self.bodies[place] for place in np.flatnonzero(is_found).tolist()}


def _sorted(numbers: Numbers) -> Numbers:
    """The numbers in order, each once. Where it is not asked for places, numpy uses a slower way."""
    return np.unique(numbers, return_index=True)[0]


def _links(groups: Numbers, places: Numbers, size: int) -> tuple[Numbers, Numbers, Numbers]:
    """Pairs within each group, without repetition, and in how many groups each is. Both come sorted."""
    all_pairs, firsts, distance = [places[:0]], np.arange(len(groups)), 0
    while len(firsts):
        distance += 1
        firsts = firsts[firsts + distance < len(groups)]
        firsts = firsts[groups[firsts] == groups[firsts + distance]]
        all_pairs.append(places[firsts] * size + places[firsts + distance])
    pairs, together = np.unique(np.concatenate(all_pairs), return_counts=True)
    low, high = divmod(pairs, size)
    return low, high, together


def parties_with(pk: int, parts: Parts) -> dict[int, list[tuple[int, str]]]:
    """The partnerships that an organisation takes part in, each with all its parties and their roles."""
    own = parts.only(np.isin(parts.partnership, parts.partnership[parts.body == pk]))
    parties: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for partnership, organisation, role in own.rows():
        parties[partnership].append((organisation, role))
    return parties


def fate_of(pk: int, parties: Sequence[tuple[int, str]]) -> Fate:
    """What becomes of a partnership without one of its parties."""
    voices = {body: role for body, role in parties if role != PartyRole.OBSERVER}
    if pk not in voices:
        return Fate.GOES_ON
    if len(voices) <= _LEAST:
        return Fate.ENDS
    own = voices.pop(pk)
    return Fate.UNLED if own in LEADING_ROLES and not set(LEADING_ROLES).intersection(voices.values()) else Fate.GOES_ON
