"""Count the lettings of a return by size and kind of let, and compare them with the agreed shares."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from statistics import median

from partnerships.nominations.lettings.reading import Letting, Outcome, Scope, read_letting
from partnerships.nominations.schedule import Bedrooms

#: Only a cell that matches this is stored as the code of an authority. In a damaged row, the cell may contain anything
#: about a household.
_GSS_CODE = re.compile(r"[EKLMNSW][0-9]{8}")
#: Progress is reported each time this number of rows has been counted.
STEP = 1000


@dataclass(slots=True)
class LineCount:
    """The counts of lettings of one size, either first lets or relets."""

    lettings: int = 0
    nominated: int = 0
    offers: int = 0
    void_days: list[int] = field(default_factory=list)

    @property
    def median_days(self) -> Decimal | None:
        """Return the median of the void days, to half a day. None if no row gives void days."""
        return Decimal(str(median(self.void_days))) if self.void_days else None


@dataclass(slots=True)
class LettingsCount:
    """The result of counting a file."""

    #: By the size of the homes and whether they were first lets.
    lines: dict[tuple[Bedrooms, bool], LineCount] = field(default_factory=dict)
    #: The rows of each outcome, as ranges of first and last row. Rows count from 1 below the headings.
    rows: dict[Outcome, list[list[int]]] = field(default_factory=dict)
    #: Rows of the quarter by the GSS code of their authority. Empty for rows without one.
    authorities: Counter[str] = field(default_factory=Counter)
    #: How many used rows are about a home that was let before in the same file.
    let_again: int = 0
    total: int = 0

    @property
    def median_days(self) -> dict[str, str | None]:
        """Return the median void days by "first_lets", "relets" and "all". None if no such row gives void days."""
        days_by_kind: dict[str, list[int]] = {"first_lets": [], "relets": [], "all": []}
        for (_size, is_first_let), line in self.lines.items():
            days_by_kind["first_lets" if is_first_let else "relets"] += line.void_days
            days_by_kind["all"] += line.void_days
        return {kind: str(median(days)) if days else None for kind, days in days_by_kind.items()}

    def number(self, outcome: Outcome) -> int:
        """Return the number of rows with an outcome."""
        return sum(last_row - first_row + 1 for first_row, last_row in self.rows.get(outcome, ()))


def count_lettings(
    rows: Iterable[Mapping[str, str] | None],
    scope: Scope,
    *,
    progress: Callable[[int], object] = int,
) -> LettingsCount:
    """Count the rows of a file that belong to a return. Every other row is set aside with its reason.

    `progress` is called with the number of rows read so far.
    """
    lettings_count = LettingsCount()
    # Homes, and lettings (a home with a start date), in the rows read so far.
    homes: set[str] = set()
    lettings: set[tuple[str, dt.date]] = set()
    for row_number, row in enumerate(rows, start=1):
        lettings_count.total = row_number
        result = read_letting(row, scope)
        if isinstance(result, Letting) and result.home in lettings:
            result = Outcome.DUPLICATE
        if isinstance(result, Letting):
            if result.home is not None:
                home, _starts_on = result.home
                lettings_count.let_again += home in homes
                homes.add(home)
                lettings.add(result.home)
            _add_letting(lettings_count, result)
            _add_outcome(lettings_count, Outcome.USED, row_number)
        else:
            _add_outcome(lettings_count, result, row_number)
        if row is not None and result not in (Outcome.NO_DATE, Outcome.OTHER_QUARTER):
            code = row.get("la", "").strip().upper()
            lettings_count.authorities[code if _GSS_CODE.fullmatch(code) else ""] += 1
        if row_number % STEP == 0:
            progress(row_number)
    progress(lettings_count.total)
    return lettings_count


def _add_letting(lettings_count: LettingsCount, letting: Letting) -> None:
    """Add a letting to the count of its size and kind."""
    line = lettings_count.lines.setdefault((letting.bedrooms, letting.is_first_let), LineCount())
    line.lettings += 1
    line.nominated += letting.is_nominated
    line.offers += letting.offers or 0
    if letting.void_days is not None:
        line.void_days.append(letting.void_days)


def _add_outcome(lettings_count: LettingsCount, outcome: Outcome, row_number: int) -> None:
    """Add a row to the ranges of its outcome."""
    ranges = lettings_count.rows.setdefault(outcome, [])
    if ranges and ranges[-1][1] == row_number - 1:
        ranges[-1][1] = row_number
    else:
        ranges.append([row_number, row_number])


@dataclass(frozen=True, slots=True)
class LineResult:
    """A line of a return, compared with its agreed share.

    Vacancies for which the council named no nominee in time are left out, because the provider was free to let them.
    """

    lettings: int
    nominated: int
    not_supplied: int
    share: Decimal

    @property
    def counting(self) -> int:
        """Return the number of true voids to which the agreed share applies."""
        return self.lettings - self.not_supplied

    @property
    def agreed(self) -> int:
        """Return the number of homes that should go to nominees. For example, 75 % of 7 homes is rounded up to 6."""
        return int((self.share * self.counting / 100).to_integral_value(ROUND_CEILING))

    @property
    def shortfall(self) -> int:
        """Return the number of homes by which lettings to nominees fell short of the agreed share."""
        return max(0, self.agreed - self.nominated)

    @property
    def achieved(self) -> Decimal | None:
        """Return nominations in per cent of these true voids, with one decimal, or None if there are none."""
        if self.counting <= 0:
            return None
        return (Decimal(100) * self.nominated / self.counting).quantize(Decimal("0.1"), ROUND_HALF_UP)
