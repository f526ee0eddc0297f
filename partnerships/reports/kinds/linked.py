"""The network of organisations that share partnerships, and the effect of a party leaving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from partnerships.agreements.models import LEADING_ROLES, PartyRole
from partnerships.agreements.queries.participations import ROLES, Parts
from partnerships.kit.cutting import cut_apart
from partnerships.kit.late import late
from partnerships.kit.networks import MAX_NODES

if TYPE_CHECKING:
    import numpy as np

    from partnerships.kit.cutting import Numbers
else:
    np = late("numpy")

#: A partnership with at most this many parties, not counting observers, ends if one of them leaves.
_MIN_PARTIES = 2


class EffectOfLeaving(IntEnum):
    """The effect on a partnership if one of its parties leaves. The worst effect comes first."""

    ENDS = 0
    UNLED = 1
    GOES_ON = 2


@dataclass(frozen=True, slots=True)
class Network:
    """Organisations, and a link between any two that share a partnership.

    `bodies` are the ids of the organisations, in order. Links are stored in three arrays, because a network ten times
    as large as England has 200,000 of them. `low` and `high` are the indexes of the two linked organisations in
    `bodies`, the lower one first. `together` is the number of partnerships that they share.

    Three mappings have a number for each organisation, by id. `held` is the number of its partnerships. `partners` is
    the number of organisations linked with it. `ending` is the number of partnerships that would end without it.
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
        """Return the network of these parties. Organisations that share no partnership have no links."""
        ids, places = np.unique(parts.organisation, return_inverse=True)
        partnerships, groups = np.unique(parts.partnership, return_inverse=True)
        has_voice = parts.role != ROLES.index(PartyRole.OBSERVER)
        size, bodies = max(len(ids), 1), ids.tolist()
        taking_part = groups * size + places
        low, high, together = _links(*divmod(_sorted_unique(taking_part), size), size)
        voting_groups, voting_places = divmod(_sorted_unique(taking_part[has_voice]), size)
        has_few_parties = np.bincount(voting_groups, minlength=len(partnerships)) <= _MIN_PARTIES

        def count_by_body(indexes: Numbers) -> dict[int, int]:
            """Return how often each organisation's index occurs, by the id of the organisation."""
            return dict(zip(bodies, np.bincount(indexes, minlength=len(ids)).tolist(), strict=True))

        return cls(
            bodies,
            len(partnerships),
            low,
            high,
            together,
            held=count_by_body(places),
            partners=count_by_body(np.concatenate([low, high])),
            ending=count_by_body(voting_places[has_few_parties[voting_groups]]),
        )

    def cut_apart(self) -> tuple[list[int], dict[int, list[int]]]:
        """Return the sizes of the network's separate parts, and its single points of failure.

        Without a single point of failure, its part of the network would fall into pieces. The sizes of these pieces are
        returned by the id of the organisation.
        """
        parts, pieces = cut_apart(self.low, self.high)
        return parts, {self.bodies[place]: sizes for place, sizes in pieces.items()}

    def near(self, centre: int) -> set[int]:
        """Return an organisation and up to `MAX_NODES` - 1 others around it, the nearest first.

        Each round adds the organisations linked with those of the previous round, until there are enough. If a round
        has too many organisations, it adds the most strongly linked.
        """
        is_found = np.zeros(len(self.bodies), dtype=bool)
        last_round = np.array([self.bodies.index(centre)])
        is_found[last_round] = True
        places_left = MAX_NODES - 1
        while len(last_round) and places_left:
            is_in_last_round = np.zeros(len(self.bodies), dtype=bool)
            is_in_last_round[last_round] = True
            strength = np.zeros(len(self.bodies))
            for from_ends, to_ends in ((self.low, self.high), (self.high, self.low)):
                is_new = is_in_last_round[from_ends] & ~is_found[to_ends]
                strength += np.bincount(to_ends[is_new], self.together[is_new], len(self.bodies))
            last_round = np.argsort(-strength, kind="stable")[: min(places_left, np.count_nonzero(strength))]
            is_found[last_round] = True
            places_left -= len(last_round)
        return {self.bodies[place] for place in np.flatnonzero(is_found).tolist()}


def _sorted_unique(integers: Numbers) -> Numbers:
    """Return the integers in order, each once."""
    # With `return_index`, numpy sorts the integers, which is faster here than its default of hashing them.
    return np.unique(integers, return_index=True)[0]


def _links(groups: Numbers, places: Numbers, size: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return each pair of places that are in a group together, and the number of groups that they share.

    `groups` and `places` must be sorted by group, then by place. The first round pairs each place with the next place
    of its group, the second with the one after that, and so on until no group is long enough.
    """
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
    """Return all parties and their roles in each partnership of an organisation, by the partnership's id."""
    parts_of_partnerships = parts.select(np.isin(parts.partnership, parts.partnership[parts.organisation == pk]))
    parties: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for partnership, organisation, role in parts_of_partnerships.as_tuples():
        parties[partnership].append((organisation, role))
    return parties


def effect_of_leaving(pk: int, parties: Sequence[tuple[int, str]]) -> EffectOfLeaving:
    """Return what happens to a partnership with these parties if the organisation `pk` leaves."""
    role_by_party = {body: role for body, role in parties if role != PartyRole.OBSERVER}
    if pk not in role_by_party:
        return EffectOfLeaving.GOES_ON
    if len(role_by_party) <= _MIN_PARTIES:
        return EffectOfLeaving.ENDS
    own_role = role_by_party.pop(pk)
    has_other_leader = not set(LEADING_ROLES).isdisjoint(role_by_party.values())
    return EffectOfLeaving.UNLED if own_role in LEADING_ROLES and not has_other_leader else EffectOfLeaving.GOES_ON
