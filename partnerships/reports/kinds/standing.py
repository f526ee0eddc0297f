"""What stands in each council area by theme, from partnerships to commitments, counted by numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from partnerships.kit.late import late
from partnerships.organisations.audience import Reader
from partnerships.reports.kinds.districts import Districts
from partnerships.reports.kinds.standing_rows import Records, bodies_of, records_for

if TYPE_CHECKING:
    import numpy as np

    from partnerships.kit.numbers import Numbers
else:
    np = late("numpy")

#: Ids, each beside something of it: a district, an area, a theme. Ids repeat.
Pairs: TypeAlias = tuple["Numbers", "Numbers"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How many records stand in each area, by what they are, area (id) and theme; "" is no theme.

    A record about two themes counts under both, and once in `in_all`.
    """

    by_theme: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    in_all: Counter[tuple[str, int]] = field(default_factory=Counter)


def standing_for(reader: Reader, districts: Districts) -> Standing:
    """Everything that the reader may see and that stands somewhere, by the district."""
    counting = _Counting(records_for(reader, districts), districts)
    counting.count_partnerships()
    counting.count_entries()
    counting.count_commitments()
    counting.count_plans()
    return counting.found


class _Counting:
    """Records by the places of their districts among those of the day."""

    def __init__(self, records: Records, districts: Districts) -> None:
        self.found = Standing()
        self._records = records
        self._districts = [area.pk for area in districts.areas]
        place = {pk: number for number, pk in enumerate(self._districts)}
        meant = [(area, place[one]) for area, all_meant in districts.meant.items() for one in all_meant]
        self._meant: Pairs = _two(meant)
        self._councils = np.array([*districts.council_names], dtype=np.int64)
        self._served = _distinct(self._in_districts(records.served))
        self._named_plans = _distinct(self._in_districts(records.sites))
        self._places_of_partnerships()

    def _in_districts(self, pairs: Numbers) -> Pairs:
        """Ids beside areas, now beside the districts that these areas stand for."""
        rows, districts = _joined(pairs[1], self._meant)
        return pairs[0][rows], districts

    def _places_of_partnerships(self) -> None:
        """Partnerships stand in their areas, else where their parties are; and who owns plans without sites."""
        named = _distinct(self._in_districts(self._records.partnership_areas))
        unnamed = _without(self._records.partnerships[0], named[0])
        parties, self._owners = bodies_of(
            unnamed.tolist(), _without(self._records.plans[0], self._named_plans[0]).tolist()
        )
        self._partnerships = _both(named, self._of_bodies(parties[0], parties[1]))

    def _of_bodies(self, ids: Numbers, bodies: Numbers) -> Pairs:
        """Ids beside the districts of their bodies. If some of several bodies are councils, only they count."""
        is_council = np.isin(bodies, self._councils)
        counts = is_council | ~np.isin(ids, ids[is_council])
        rows, districts = _joined(bodies[counts], self._served)
        return _distinct((ids[counts][rows], districts))

    def _else_of_partnership(self, ids: Numbers, partnerships: Numbers, named: Pairs) -> tuple[Pairs, Numbers]:
        """Where records stand that are named there, or whose partnership is; and the places of those that are left."""
        is_left = ~np.isin(ids, named[0])
        is_placed = is_left & np.isin(partnerships, self._partnerships[0])
        rows, districts = _joined(partnerships[is_placed], self._partnerships)
        return _both(named, (ids[is_placed][rows], districts)), np.flatnonzero(is_left & ~is_placed)

    @cached_property
    def _entries(self) -> Pairs:
        """Asks and offers: in the areas that they name, else where their partnership is, else their organisation."""
        ids, _, _, bodies, partnerships = self._records.entries
        named = _distinct(self._in_districts(self._records.entry_areas))
        found, left = self._else_of_partnership(ids, partnerships, named)
        rows, districts = _joined(bodies[left], self._served)
        return _both(found, (ids[left][rows], districts))

    @cached_property
    def _commitment_themes(self) -> Pairs:
        """Commitments beside the themes of what they meet; 0 if these have none."""
        commitments, _, themes = self._records.met
        every = self._records.commitments[0]
        return _with_theme(_both((every, np.zeros_like(every)), (commitments, themes)))

    def count_partnerships(self) -> None:
        """A partnership is about the theme of its kind, and about those of what belongs to it."""
        records = self._records
        of_commitments = _joined(records.commitments[0], self._commitment_themes)
        about = _both(
            (records.partnerships[0], records.partnerships[1]),
            (records.entries[4], records.entries[2]),
            (records.plans[2], records.plans[1]),
            (records.commitments[3][of_commitments[0]], of_commitments[1]),
        )
        self._count(("partnership",), self._partnerships, _with_theme(about))

    def count_entries(self) -> None:
        """Asks and offers."""
        ids, is_offer, themes, *_ = self._records.entries
        self._count(("ask", "offer"), self._entries, (ids, is_offer * len(self._records.themes) + themes))

    def count_commitments(self) -> None:
        """Commitments: where what they meet is, else where their partnership or their sides are."""
        ids, givers, receivers, partnerships = self._records.commitments
        rows, districts = _joined(self._records.met[1], self._entries)
        named = _distinct((self._records.met[0][rows], districts))
        found, left = self._else_of_partnership(ids, partnerships, named)
        sides = np.concatenate([ids[left], ids[left]]), np.concatenate([givers[left], receivers[left]])
        is_body = sides[1] > 0
        found = _both(found, self._of_bodies(sides[0][is_body], sides[1][is_body]))
        self._count(("commitment",), found, self._commitment_themes)

    def count_plans(self) -> None:
        """Plans: where their sites are, else where their partnership or their owners are."""
        ids, themes, partnerships = self._records.plans
        found, left = self._else_of_partnership(ids, partnerships, self._named_plans)
        is_left = np.isin(self._owners[0], ids[left])
        found = _both(found, self._of_bodies(self._owners[0][is_left], self._owners[1][is_left]))
        self._count(("plan",), found, (ids, themes))

    def _count(self, what: Sequence[str], standing: Pairs, about: Pairs) -> None:
        """Count records beside their districts under each of their themes, and those with any theme once.

        `about` are their themes; those of the second kind of `what` come after all themes of the first.
        """
        themes = len(self._records.themes)
        rows, codes = _joined(standing[0], about)
        districts = standing[1][rows]
        counts = np.bincount(districts * (len(what) * themes) + codes)
        for place in np.flatnonzero(counts).tolist():
            district, code = divmod(place, len(what) * themes)
            kind, theme = divmod(code, themes)
            key = what[kind], self._districts[district], self._records.themes[theme]
            self.found.by_theme[key] += int(counts[place])
        firsts = np.unique(rows, return_index=True)[1]
        in_all = np.bincount(districts[firsts] * len(what) + codes[firsts] // themes)
        for place in np.flatnonzero(in_all).tolist():
            district, kind = divmod(place, len(what))
            self.found.in_all[what[kind], self._districts[district]] += int(in_all[place])


def _two(rows: Iterable[tuple[int, int]]) -> Pairs:
    one, other = np.array([*rows], dtype=np.int64).reshape(-1, 2).T
    return one, other


def _both(*pairs: Pairs) -> Pairs:
    """All of these pairs."""
    one, other = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    return one, other


def _distinct(pairs: Pairs) -> Pairs:
    """Each pair once, in order. The second of a pair is a small number."""
    size = int(pairs[1].max(initial=0)) + 1
    # Where it is not asked for places, numpy uses a slower way.
    one, other = np.divmod(np.unique(pairs[0] * size + pairs[1], return_index=True)[0], size)
    return one, other


def _without(ids: Numbers, others: Numbers) -> Numbers:
    """The ids that are not among the others."""
    remaining: Numbers = ids[~np.isin(ids, others)]
    return remaining


def _with_theme(pairs: Pairs) -> Pairs:
    """Each id beside its themes once; beside 0, no theme, only where it has no other."""
    ids, themes = _distinct(pairs)
    kept = (themes > 0) | ~np.isin(ids, ids[themes > 0])
    return ids[kept], themes[kept]


def _joined(keys: Numbers, pairs: Pairs) -> Pairs:
    """For each pair that begins with one of the keys: the key's place, and the other half."""
    order = np.argsort(pairs[0], kind="stable")
    ids = pairs[0][order]
    begins = np.flatnonzero(np.diff(ids, prepend=-1))
    if not len(begins):
        return keys[:0], keys[:0]
    sizes = np.diff(begins, append=len(ids))
    places = np.minimum(np.searchsorted(ids[begins], keys), len(begins) - 1)
    size = np.where(ids[begins[places]] == keys, sizes[places], 0)
    within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    return np.repeat(np.arange(len(keys)), size), pairs[1][order[np.repeat(begins[places], size) + within]]
