"""What a client asks: a name or a number, at a date, narrowed by type and properties."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

#: Candidates returned unless the client asks for another number.
DEFAULT_LIMIT = 5
#: Candidates that a client can ask for.
MAX_LIMIT = 25


@dataclass(frozen=True, slots=True)
class Period:
    """From a first to a last day, both included: a day, a month or a year."""

    first: dt.date
    last: dt.date

    def meets(self, begins: dt.date | None, ends: dt.date | None) -> bool:
        """Whether any of its days is in the half-open time [begins, ends); None is open."""
        return (begins is None or begins <= self.last) and (ends is None or self.first < ends)


@dataclass(frozen=True, slots=True)
class Condition:
    """Values that a property should have: any of them, all of them or none.

    With `required`, bodies that do not fit are no candidates.
    """

    property: str
    values: tuple[str, ...]
    required: bool = False
    quantifier: str = "any"


@dataclass(frozen=True, slots=True)
class Question:
    """One query of a batch.

    `period` is the date that it is about (None: any time, the present first). With `unclear`, part of it could not be
    read, so nothing is a certain match. No `types`: every type.
    """

    text: str = ""
    ids: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    period: Period | None = None
    conditions: tuple[Condition, ...] = ()
    limit: int = DEFAULT_LIMIT
    unclear: bool = False
