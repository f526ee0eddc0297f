"""A client's question about a name or number at a date, with the types and properties that narrow it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

#: The number of candidates in a response, unless the client asks for another number.
DEFAULT_LIMIT = 5
#: The largest number of candidates that a client can ask for.
MAX_LIMIT = 25


@dataclass(frozen=True, slots=True)
class Period:
    """A day, a month or a year. Both the first and the last day are included."""

    first: dt.date
    last: dt.date

    def meets(self, begins: dt.date | None, ends: dt.date | None) -> bool:
        """Return True if this period overlaps the period from `begins` to the day before `ends`. None means open."""
        return (begins is None or begins <= self.last) and (ends is None or self.first < ends)


@dataclass(frozen=True, slots=True)
class Condition:
    """The values that a property of the body should have."""

    property: str
    values: tuple[str, ...]
    #: True if bodies that do not fit are left out. Otherwise they receive fewer points.
    required: bool = False
    #: How many of the values the body should have: “any”, “all” or “none”.
    quantifier: str = "any"


@dataclass(frozen=True, slots=True)
class Question:
    """One query of a batch."""

    text: str = ""
    ids: tuple[str, ...] = ()
    #: The types of body to look for. If it is empty, all types are meant.
    types: frozenset[str] = frozenset()
    #: The date of the question. None means any date, with present bodies first.
    period: Period | None = None
    conditions: tuple[Condition, ...] = ()
    limit: int = DEFAULT_LIMIT
    #: True if a part of the question could not be read. Then no match is certain.
    is_unclear: bool = False
