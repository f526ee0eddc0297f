"""What lines of homes have in common, for the numbers that stand for it in packed lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partnerships.kit.database import rows_of
from partnerships.kit.late import late

if TYPE_CHECKING:
    import numpy as np

    from partnerships.plans.queries.packed import Lines, Truths
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
"""


@dataclass(frozen=True, slots=True)
class Combinations:
    """The combinations whose homes are counted. Their numbers are from 1 and below `size`."""

    names: Mapping[int, tuple[Any, ...]]
    size: int
    is_counted: Truths
    confidential: Truths
    is_done: Truths

    @classmethod
    def among(cls, **values: Any) -> Combinations:
        """Those that these values of `_STATEMENT` leave. Read packed lines before: they may name newer ones."""
        everything: dict[str, Any] = {"areas": [], "authorities": [], "tenures": [], "needs": [], "bedrooms": None}
        rows = rows_of(_STATEMENT, {**everything, "confidence": "", "year": "", **values})
        size = 1 + max((row[0] for row in rows), default=0)
        marks = np.zeros((3, size), dtype=bool)
        for pk, confidential, is_done, *_ in rows:
            marks[:, pk] = True, confidential, is_done
        return cls({pk: tuple(names) for pk, _, _, *names in rows}, size, *marks)

    def counted(self, lines: Lines) -> Lines:
        """The lines whose homes are counted, and that the reader may read: confidential ones inside."""
        known = np.where(lines.combination < self.size, lines.combination, 0)  # 0 is that of no line
        is_open = ~self.confidential[known] | lines.inside()
        at_any_moment = lines.is_now | lines.is_then | lines.is_baseline
        return lines.only(at_any_moment & is_open & self.is_counted[known])

    def named(self, number: int) -> dict[str, Any]:
        """What the homes of a combination have in common, by the names of columns."""
        return dict(zip(_COLUMNS, self.names[number], strict=True))
