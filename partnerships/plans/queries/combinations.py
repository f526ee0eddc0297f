"""Combinations of tenure, year, area and so on, to which packed lines of homes refer by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from partnerships.kit.database import rows_of
from partnerships.kit.late import late

if TYPE_CHECKING:
    import numpy as np

    from partnerships.plans.queries.packed import BoolArray, IntArray, PackedLines
else:
    np = late("numpy")

_COLUMNS = ("year", "tenure", "area_code", "authority", "bedrooms", "needs", "confidence", "has_grant")
_STATEMENT = """
SELECT
    id,
    confidential,
    is_done,
    year,
    tenure,
    area_code,
    authority,
    nullif(bedrooms, -1),
    needs,
    confidence,
    has_grant
FROM plans_homescombination
WHERE (
        (cardinality(%(areas)s::text[]) = 0 AND cardinality(%(authorities)s::text[]) = 0)
        OR area_code = ANY(%(areas)s)
        OR authority = ANY(%(authorities)s)
    )
    AND (cardinality(%(tenures)s::text[]) = 0 OR tenure = ANY(%(tenures)s))
    AND (cardinality(%(needs)s::text[]) = 0 OR needs = ANY(%(needs)s))
    AND (%(bedrooms)s::int IS NULL OR bedrooms = %(bedrooms)s)
    AND (%(confidence)s = '' OR confidence = %(confidence)s)
    AND (%(year)s = '' OR year = %(year)s)
ORDER BY id
"""
#: The parameters with which `_STATEMENT` returns all combinations.
_NO_FILTERS: Mapping[str, Any] = {
    "areas": [],
    "authorities": [],
    "tenures": [],
    "needs": [],
    "bedrooms": None,
    "confidence": "",
    "year": "",
}


@dataclass(frozen=True, slots=True)
class Combinations:
    """The combinations that a report counts, in the order of their ids.

    Each combination has an index in these arrays, and index 0 means no combination. Sums are arrays by index. Arrays
    by id would be too long, because a restore of a backup adds ten million to the next ids.
    """

    ids: IntArray
    #: The values of each combination, in the order of `_COLUMNS`.
    values: Sequence[tuple[Any, ...]]
    confidential: BoolArray
    is_done: BoolArray

    @classmethod
    def among(cls, **filters: Any) -> Combinations:
        """Return the combinations that match the filters, for example `areas=["E08000035"]`.

        Read the packed lines first. Lines that are read later may contain combinations that were added in between.
        """
        ids, confidential, is_done = [0], [False], [False]
        values: list[tuple[Any, ...]] = [()]
        for combination_id, is_confidential, is_complete, *columns in rows_of(_STATEMENT, {**_NO_FILTERS, **filters}):
            ids.append(combination_id)
            confidential.append(is_confidential)
            is_done.append(is_complete)
            values.append(tuple(columns))
        return cls(
            ids=np.array(ids, dtype=np.int64),
            values=values,
            confidential=np.array(confidential, dtype=bool),
            is_done=np.array(is_done, dtype=bool),
        )

    @property
    def size(self) -> int:
        """Return the number of indexes, including 0."""
        return len(self.ids)

    def countable_lines(self, lines: PackedLines) -> PackedLines:
        """Return the lines to count, with the index of each combination instead of its id.

        Lines at confidential sites are left out unless the reader reads the plan inside.
        """
        # The last index with an id up to that of the line. It is the line's combination only if the ids are equal.
        indexes = np.searchsorted(self.ids, lines.combination, side="right") - 1
        is_counted = self.ids[indexes] == lines.combination
        is_readable = ~self.confidential[indexes] | lines.inside()
        at_any_moment = lines.is_now | lines.is_earlier | lines.is_baseline
        return replace(lines, combination=indexes).where(at_any_moment & is_readable & is_counted)

    def values_at(self, index: int) -> dict[str, Any]:
        """Return the values of one combination, by column."""
        return dict(zip(_COLUMNS, self.values[index], strict=True))

    def columns(self, indexes: IntArray) -> dict[str, tuple[Any, ...]]:
        """Return the values of several combinations, by column."""
        rows = [self.values[index] for index in indexes.tolist()]
        columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
        return dict(zip(_COLUMNS, columns, strict=True))
