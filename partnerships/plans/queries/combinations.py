"""What lines of homes have in common, for the numbers that stand for it in packed lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from partnerships.kit.database import rows_of
from partnerships.kit.late import late

if TYPE_CHECKING:
    import numpy as np

    from partnerships.plans.queries.packed import Lines, Numbers, Truths
else:
    np = late("numpy")

_COLUMNS = ("year", "tenure", "area_code", "authority", "bedrooms", "needs", "confidence", "has_grant")
_STATEMENT = """
SELECT id, confidential, is_done, year, tenure, area_code, authority, nullif(bedrooms, -1), needs, confidence, has_grant
FROM plans_homescombination
WHERE (
        (cardinality(%(areas)s::text[]) = 0 AND cardinality(%(authorities)s::text[]) = 0)
        OR area_code = ANY(%(areas)s) OR authority = ANY(%(authorities)s)
    )
    AND (cardinality(%(tenures)s::text[]) = 0 OR tenure = ANY(%(tenures)s))
    AND (cardinality(%(needs)s::text[]) = 0 OR needs = ANY(%(needs)s))
    AND (%(bedrooms)s::int IS NULL OR bedrooms = %(bedrooms)s)
    AND (%(confidence)s = '' OR confidence = %(confidence)s)
    AND (%(year)s = '' OR year = %(year)s)
ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Combinations:
    """The combinations whose homes are counted, by their places from 1 to below `size`; 0 is that of no line.

    Places, because numbers are far apart: a restore moves them on by ten million.
    """

    numbers: Numbers
    names: Sequence[tuple[Any, ...]]
    confidential: Truths
    is_done: Truths

    @classmethod
    def among(cls, **values: Any) -> Combinations:
        """The combinations with these values of `_STATEMENT`. Read packed lines before: they may name newer ones."""
        everything: dict[str, Any] = {"areas": [], "authorities": [], "tenures": [], "needs": [], "bedrooms": None}
        rows = rows_of(_STATEMENT, {**everything, "confidence": "", "year": "", **values})
        numbers = np.array([0, *(row[0] for row in rows)], dtype=np.int64)
        confidential, is_done = (np.array([False, *(row[place] for row in rows)], dtype=bool) for place in (1, 2))
        return cls(numbers, [(), *(row[3:] for row in rows)], confidential, is_done)

    @property
    def size(self) -> int:
        """How many there are, with that of no line."""
        return len(self.numbers)

    def counted(self, lines: Lines) -> Lines:
        """The lines whose homes are counted, with the places of their combinations.

        Only those that the reader may read: confidential ones inside.
        """
        places = np.searchsorted(self.numbers, lines.combination, side="right") - 1
        is_counted = self.numbers[places] == lines.combination
        is_open = ~self.confidential[places] | lines.inside()
        at_any_moment = lines.is_now | lines.is_then | lines.is_baseline
        return replace(lines, combination=places).only(at_any_moment & is_open & is_counted)

    def named(self, place: int) -> dict[str, Any]:
        """What the homes of a combination have in common, by the names of columns."""
        return dict(zip(_COLUMNS, self.names[place], strict=True))

    def columns(self, places: Numbers) -> dict[str, tuple[Any, ...]]:
        """The same of many combinations, a column after the other."""
        names = [self.names[place] for place in places.tolist()]
        return dict(zip(_COLUMNS, zip(*names, strict=True) if names else [()] * len(_COLUMNS), strict=True))
