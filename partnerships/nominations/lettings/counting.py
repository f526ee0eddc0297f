"""Counts the lettings of a return by bedrooms, first let or relet, against the agreed shares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from statistics import median

from partnerships.nominations.lettings.reading import Letting, Outcome, Scope, read_letting
from partnerships.nominations.schedule import Bedrooms

#: What is kept as an authority: the cell of a row that has slipped may say anything about a household.
_GSS_CODE = re.compile(r"[EKLMNSW][0-9]{8}")
#: Rows between two reports of progress.
STEP = 1000


@dataclass(slots=True)
class Line:
    """Lettings of homes of one size, first lets or relets."""

    lettings: int = 0
    nominated: int = 0
    offers: int = 0
    void_days: list[int] = field(default_factory=list)

    @property
    def median_days(self) -> Decimal | None:
        """The median of the void days, in half days; None if no row says any."""
        return Decimal(str(median(self.void_days))) if self.void_days else None


@dataclass(slots=True)
class Counted:
    """The result of counting a file.

    Lines by size and kind of let, the outcome of each row, authorities. `rows` has the numbers of the rows of each
    outcome, counted from 1 below the headings, as ranges from and to. `authorities` counts the rows of the quarter by
    the GSS code of their authority, "" where a row has none. `let_again` counts used rows about a home that an earlier
    row was about, with another start date.
    """

    lines: dict[tuple[Bedrooms, bool], Line] = field(default_factory=dict)
    rows: dict[Outcome, list[list[int]]] = field(default_factory=dict)
    authorities: Counter[str] = field(default_factory=Counter)
    let_again: int = 0
    total: int = 0

    @property
    def median_days(self) -> dict[str, str | None]:
        """The median void days of first lets, of relets and of all. None if no row says any."""
        days: dict[str, list[int]] = {"first_lets": [], "relets": [], "all": []}
        for (_, is_first), line in self.lines.items():
            days["first_lets" if is_first else "relets"] += line.void_days
            days["all"] += line.void_days
        return {kind: str(median(some)) if some else None for kind, some in days.items()}

    def number(self, outcome: Outcome) -> int:
        """How many rows had an outcome."""
        return sum(last - first + 1 for first, last in self.rows.get(outcome, ()))


def count_lettings(
    rows: Iterable[Mapping[str, str] | None],
    scope: Scope,
    *,
    progress: Callable[[int], object] = int,
) -> Counted:
    """Count the rows of a file that a return is about.

    Each row is used or set aside with its reason.
    """
    counted = Counted()
    homes: set[object] = set()
    lettings: set[object] = set()
    for number, row in enumerate(rows, start=1):
        counted.total = number
        read = read_letting(row, scope)
        if isinstance(read, Letting) and read.home is not None and read.home in lettings:
            read = Outcome.DUPLICATE
        if isinstance(read, Letting):
            if read.home is not None:
                counted.let_again += read.home[0] in homes
                homes.add(read.home[0])
            lettings.add(read.home)
            _add(counted, read)
            _note(counted, Outcome.USED, number)
        else:
            _note(counted, read, number)
        if row is not None and read not in (Outcome.NO_DATE, Outcome.OTHER_QUARTER):
            code = row.get("la", "").strip().upper()
            counted.authorities[code if _GSS_CODE.fullmatch(code) else ""] += 1
        if number % STEP == 0:
            progress(number)
    progress(counted.total)
    return counted


def _add(counted: Counted, letting: Letting) -> None:
    line = counted.lines.setdefault((letting.bedrooms, letting.is_first_let), Line())
    line.lettings += 1
    line.nominated += letting.is_nominated
    line.offers += letting.offers or 0
    if letting.void_days is not None:
        line.void_days.append(letting.void_days)


def _note(counted: Counted, outcome: Outcome, number: int) -> None:
    ranges = counted.rows.setdefault(outcome, [])
    if ranges and ranges[-1][1] == number - 1:
        ranges[-1][1] = number
    else:
        ranges.append([number, number])


@dataclass(frozen=True, slots=True)
class Result:
    """A line against its agreed share, in whole homes and per cent.

    Vacancies for which the council named nobody in time do not count: the provider was free to let them.
    """

    lettings: int
    nominated: int
    not_supplied: int
    share: Decimal

    @property
    def counting(self) -> int:
        """The true voids that the share is taken of."""
        return self.lettings - self.not_supplied

    @property
    def agreed(self) -> int:
        """The nominations that the share comes to, rounded up to a whole home."""
        return int((self.share * self.counting / 100).to_integral_value(ROUND_CEILING))

    @property
    def shortfall(self) -> int:
        """How many nominations are missing."""
        return max(0, self.agreed - self.nominated)

    @property
    def achieved(self) -> Decimal | None:
        """The share of nominations, in per cent with one digit. None without a true void that counts."""
        if self.counting <= 0:
            return None
        return (Decimal(100) * self.nominated / self.counting).quantize(Decimal("0.1"), ROUND_HALF_UP)
