"""Count partnerships, asks, offers, plans and commitments by council area and theme, with numpy.

`standing_rows` reads the records. Here, each column of ids is a numpy array. `Pairs` are two columns of equal length,
such as the ids of asks and the districts in which each ask is counted.
"""

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

#: The ids of records in one column, and a district, an area or a theme of each in the other. Ids may be repeated.
Pairs: TypeAlias = tuple["Numbers", "Numbers"]


@dataclass(frozen=True, slots=True)
class CoverageCounts:
    """The number of records, by kind of record, district (id) and theme. Records without a theme are under "".

    A record about two themes is counted under both in `by_theme`, and once in `in_all`, which has no themes.
    """

    by_theme: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    in_all: Counter[tuple[str, int]] = field(default_factory=Counter)


def count_coverage(reader: Reader, districts: Districts) -> CoverageCounts:
    """Count all records that the reader may see, in each of their districts."""
    counter = _CoverageCounter(records_for(reader, districts), districts)
    counter.count_partnerships()
    counter.count_entries()
    counter.count_commitments()
    counter.count_plans()
    return counter.counts


class _CoverageCounter:
    """Find the districts of each record, and count the records.

    In its pairs, a district is an index of `_district_ids`, because numpy counts small numbers fast.
    """

    def __init__(self, records: Records, districts: Districts) -> None:
        self.counts = CoverageCounts()
        self._records = records
        self._district_ids = [area.pk for area in districts.areas]
        index_by_district = {pk: index for index, pk in enumerate(self._district_ids)}
        #: An area and a district that the area covers. For example, a county is paired with each of its districts.
        self._districts_by_area = _as_pairs(
            (area, index_by_district[district])
            for area, district_ids in districts.ids_by_area.items()
            for district in district_ids
        )
        self._council_ids = np.array([*districts.council_names], dtype=np.int64)
        self._organisation_districts = _distinct(self._in_districts(records.served))
        self._site_districts = _distinct(self._in_districts(records.sites))
        self._partnership_districts, self._plan_owners = self._partnerships_and_owners()

    def _in_districts(self, ids_and_areas: Numbers) -> Pairs:
        """Return ids with their districts, from ids with their areas of any kind."""
        rows, districts = _joined(ids_and_areas[1], self._districts_by_area)
        return ids_and_areas[0][rows], districts

    def _partnerships_and_owners(self) -> tuple[Pairs, Pairs]:
        """Return partnerships with their districts, and plans without sites with the organisations that own them.

        A partnership is counted in its own areas or, if it has none, in the areas of its parties. One query reads both
        the parties and the owners.
        """
        with_areas = _distinct(self._in_districts(self._records.partnership_areas))
        ids_without_areas = _without(self._records.partnerships[0], with_areas[0])

        plan_ids_without_sites = _without(self._records.plans[0], self._site_districts[0])
        parties, owners = bodies_of(ids_without_areas.tolist(), plan_ids_without_sites.tolist())
        of_parties = self._districts_of_organisations(parties[0], parties[1])
        return _concatenated(with_areas, of_parties), (owners[0], owners[1])

    def _districts_of_organisations(self, ids: Numbers, organisations: Numbers) -> Pairs:
        """Return ids with the districts of their organisations.

        If some of a record's organisations are councils, only the councils' districts are used. Otherwise, a record of
        a council and a large housing association would be counted in every area that the association serves.
        """
        is_council = np.isin(organisations, self._council_ids)
        is_counted = is_council | ~np.isin(ids, ids[is_council])
        rows, districts = _joined(organisations[is_counted], self._organisation_districts)
        return _distinct((ids[is_counted][rows], districts))

    def _own_or_of_partnership(self, ids: Numbers, partnerships: Numbers, own: Pairs) -> tuple[Pairs, Numbers]:
        """Return records with their `own` districts or, if they have none, with their partnership's districts.

        The second result has the indexes of the records that have neither.
        """
        has_no_own = ~np.isin(ids, own[0])
        has_partnership = has_no_own & np.isin(partnerships, self._partnership_districts[0])
        rows, districts = _joined(partnerships[has_partnership], self._partnership_districts)
        of_partnerships = (ids[has_partnership][rows], districts)
        return _concatenated(own, of_partnerships), np.flatnonzero(has_no_own & ~has_partnership)

    @cached_property
    def _entry_districts(self) -> Pairs:
        """Asks and offers with the districts of their areas, or else of their partnership or organisation."""
        ids, _is_offer, _themes, organisations, partnerships = self._records.entries
        with_areas = _distinct(self._in_districts(self._records.entry_areas))
        located_entries, remaining_indexes = self._own_or_of_partnership(ids, partnerships, with_areas)
        rows, districts = _joined(organisations[remaining_indexes], self._organisation_districts)
        return _concatenated(located_entries, (ids[remaining_indexes][rows], districts))

    @cached_property
    def _commitment_themes(self) -> Pairs:
        """Commitments with the themes of the asks and offers that they meet, or with 0 if they meet none."""
        commitments, _entries, themes = self._records.met
        all_ids = self._records.commitments[0]
        no_themes = np.zeros_like(all_ids)
        return _with_theme(_concatenated((all_ids, no_themes), (commitments, themes)))

    def count_partnerships(self) -> None:
        """Count partnerships under the theme of their kind, and under the themes of their records."""
        records = self._records
        rows, commitment_themes = _joined(records.commitments[0], self._commitment_themes)
        themes = _concatenated(
            (records.partnerships[0], records.partnerships[1]),
            (records.entries[4], records.entries[2]),
            (records.plans[2], records.plans[1]),
            (records.commitments[3][rows], commitment_themes),
        )
        self._count(("partnership",), self._partnership_districts, _with_theme(themes))

    def count_entries(self) -> None:
        """Count asks and offers under their theme."""
        ids, is_offer, themes, *_ = self._records.entries
        # The codes of offers come after all codes of asks (see `_count`).
        self._count(("ask", "offer"), self._entry_districts, (ids, is_offer * len(self._records.themes) + themes))

    def count_commitments(self) -> None:
        """Count commitments in the districts of the entries that they meet, or else of their partnership or parties."""
        ids, givers, receivers, partnerships = self._records.commitments
        rows, districts = _joined(self._records.met[1], self._entry_districts)
        of_entries = _distinct((self._records.met[0][rows], districts))
        located_commitments, remaining_indexes = self._own_or_of_partnership(ids, partnerships, of_entries)

        ids_twice = np.concatenate([ids[remaining_indexes], ids[remaining_indexes]])
        organisations = np.concatenate([givers[remaining_indexes], receivers[remaining_indexes]])
        is_in_directory = organisations > 0  # 0 is a giver that is not in the directory
        of_organisations = self._districts_of_organisations(ids_twice[is_in_directory], organisations[is_in_directory])
        self._count(("commitment",), _concatenated(located_commitments, of_organisations), self._commitment_themes)

    def count_plans(self) -> None:
        """Count plans in the districts of their sites, or else of their partnership or owners."""
        ids, themes, partnerships = self._records.plans
        located_plans, remaining_indexes = self._own_or_of_partnership(ids, partnerships, self._site_districts)
        plan_ids, owners = self._plan_owners
        is_remaining = np.isin(plan_ids, ids[remaining_indexes])
        of_owners = self._districts_of_organisations(plan_ids[is_remaining], owners[is_remaining])
        self._count(("plan",), _concatenated(located_plans, of_owners), (ids, themes))

    def _count(self, kinds: Sequence[str], districts: Pairs, theme_codes: Pairs) -> None:
        """Count records in each of their districts, once under each of their themes and once in `in_all`.

        One pass counts up to two `kinds` of record. The codes of the second kind's themes follow all codes of the first
        kind. For example, with three themes, an ask about theme 2 has the code 2, and an offer the code 5.
        """
        theme_count = len(self._records.themes)
        code_count = len(kinds) * theme_count
        rows, codes = _joined(districts[0], theme_codes)
        district_indexes = districts[1][rows]

        # `bincount` counts how often each integer occurs. Here, one integer stands for a district and a code.
        counts = np.bincount(district_indexes * code_count + codes)
        for district_and_code in np.flatnonzero(counts).tolist():
            district, code = divmod(district_and_code, code_count)
            kind, theme = divmod(code, theme_count)
            key = kinds[kind], self._district_ids[district], self._records.themes[theme]
            self.counts.by_theme[key] += int(counts[district_and_code])

        # A record with several themes has several rows. Only the first of these is counted in `in_all`.
        first_rows = np.unique(rows, return_index=True)[1]
        in_all = np.bincount(district_indexes[first_rows] * len(kinds) + codes[first_rows] // theme_count)
        for district_and_kind in np.flatnonzero(in_all).tolist():
            district, kind = divmod(district_and_kind, len(kinds))
            self.counts.in_all[kinds[kind], self._district_ids[district]] += int(in_all[district_and_kind])


def _as_pairs(rows: Iterable[tuple[int, int]]) -> Pairs:
    """Return the rows as two columns."""
    firsts, seconds = np.array([*rows], dtype=np.int64).reshape(-1, 2).T
    return firsts, seconds


def _concatenated(*pairs: Pairs) -> Pairs:
    """Return the rows of all these pairs, one after the other."""
    firsts, seconds = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    return firsts, seconds


def _distinct(pairs: Pairs) -> Pairs:
    """Return each row of the pairs once, in order. The second column must have small numbers."""
    size = int(pairs[1].max(initial=0)) + 1
    # With `return_index`, numpy sorts the numbers, which is faster here than its hash table.
    firsts, seconds = np.divmod(np.unique(pairs[0] * size + pairs[1], return_index=True)[0], size)
    return firsts, seconds


def _without(ids: Numbers, other_ids: Numbers) -> Numbers:
    """Return the ids that are not among the other ids."""
    remaining: Numbers = ids[~np.isin(ids, other_ids)]
    return remaining


def _with_theme(pairs: Pairs) -> Pairs:
    """Return each id with each of its themes once. Theme 0 (no theme) is removed from ids that have another theme."""
    ids, themes = _distinct(pairs)
    is_kept = (themes > 0) | ~np.isin(ids, ids[themes > 0])
    return ids[is_kept], themes[is_kept]


def _joined(keys: Numbers, pairs: Pairs) -> Pairs:
    """Join a column of keys with the pairs that begin with each key, like an inner join of SQL.

    Returns the index of the key, and the second half of the pair. For example, the keys 7 and 9 joined with the pairs
    (9, 1) and (9, 2) give the rows (1, 1) and (1, 2).
    """
    order = np.argsort(pairs[0], kind="stable")
    ids = pairs[0][order]
    # In sorted order, equal ids are next to each other. `starts` and `lengths` describe these groups.
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    if not len(starts):
        return keys[:0], keys[:0]
    lengths = np.diff(starts, append=len(ids))

    # The group of each key, and its number of rows, which is 0 for a key without a group.
    groups = np.minimum(np.searchsorted(ids[starts], keys), len(starts) - 1)
    row_counts = np.where(ids[starts[groups]] == keys, lengths[groups], 0)

    # The position of each row within its group, which is 0, 1, 2 … for every key.
    offsets = np.arange(int(row_counts.sum())) - np.repeat(np.cumsum(row_counts) - row_counts, row_counts)
    pair_indexes = order[np.repeat(starts[groups], row_counts) + offsets]
    return np.repeat(np.arange(len(keys)), row_counts), pairs[1][pair_indexes]
