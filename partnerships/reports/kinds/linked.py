"""Organisations that are linked by partnerships, and what becomes of these without one of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain, combinations

from partnerships.agreements.models import LEADING_ROLES, PartyRole
from partnerships.agreements.queries.ties import Part
from partnerships.kit.networks import MAX_NODES

#: A partnership of this many parties, observers not counted, ends if one of them goes.
_LEAST = 2


class Fate(IntEnum):
    """What becomes of a partnership without one of its parties, the worst first."""

    ENDS = 0
    UNLED = 1
    GOES_ON = 2


@dataclass(slots=True)
class Network:
    """Who takes part in what, and the links that follow from it."""

    parties: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    held: Counter[int] = field(default_factory=Counter)
    ties: Counter[tuple[int, int]] = field(default_factory=Counter)
    partners: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Network:
        """The network of these parts.

        Organisations that share no partnership are in it without links.
        """
        found = cls()
        for partnership, organisation, role in parts:
            found.parties[partnership].append((organisation, role))
        found.held.update(pk for parties in found.parties.values() for pk, _ in parties)
        bodies = (sorted({pk for pk, _ in parties}) for parties in found.parties.values())
        found.ties.update(chain.from_iterable(combinations(one, 2) for one in bodies))
        found.partners.update(chain.from_iterable(found.ties))
        return found

    def near(self, centre: int) -> set[int]:
        """The organisation and those around it, the nearest and strongest linked first; `MAX_NODES` in all."""
        links: dict[int, list[int]] = defaultdict(list)
        for one, other in self.ties:
            links[one].append(other)
            links[other].append(one)
        found, ring = {centre}, [centre]
        while ring and len(found) < MAX_NODES:
            strength: Counter[int] = Counter()
            for one in ring:
                for other in links[one]:
                    if other not in found:
                        strength[other] += self.ties[min(one, other), max(one, other)]
            ring = sorted(strength, key=lambda pk: (-strength[pk], pk))[: MAX_NODES - len(found)]
            found.update(ring)
        return found


def ending(network: Network) -> Counter[int]:
    """How many partnerships end without each organisation."""
    found: Counter[int] = Counter()
    for parties in network.parties.values():
        voices = _voices(parties)
        if len(voices) <= _LEAST:
            found.update(voices.keys())
    return found


def _voices(parties: Iterable[tuple[int, str]]) -> dict[int, str]:
    """The parties with their roles, without observers."""
    return {pk: role for pk, role in parties if role != PartyRole.OBSERVER}


def fate_of(pk: int, parties: Sequence[tuple[int, str]]) -> Fate:
    """What becomes of a partnership without one of its parties."""
    voices = _voices(parties)
    if pk not in voices:
        return Fate.GOES_ON
    if len(voices) <= _LEAST:
        return Fate.ENDS
    own = voices.pop(pk)
    return Fate.UNLED if own in LEADING_ROLES and not set(LEADING_ROLES).intersection(voices.values()) else Fate.GOES_ON
