"""How far an objective is, and whether it keeps pace.

The pace is a straight line from baseline to target.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

#: A figure on a day.
Reading: TypeAlias = tuple[dt.date, Decimal]


@dataclass(frozen=True, slots=True)
class Pace:
    """Where an objective stands on a day.

    `percent` is the part of the way from baseline to target, below 0 if it went backwards and above 100 past the
    target. `expected` is the figure that a straight line gives for the day. `change` is the difference between the
    last two figures and `since` the day of the earlier one; None before the second.
    """

    figure: Decimal
    on: dt.date
    percent: int
    expected: Decimal
    is_reached: bool
    is_on_track: bool
    change: Decimal | None
    since: dt.date | None

    @property
    def trend(self) -> str:
        """`up`, `down`, `same` or empty: how the figure moved."""
        if self.change is None:
            return ""
        return "same" if self.change == 0 else "up" if self.change > 0 else "down"


def expected_on(day: dt.date, start: Reading, goal: Reading) -> Decimal:
    """The figure that a straight line gives for a day, within its ends."""
    (first, baseline), (last, target) = start, goal
    at = min(max(day, first), last)
    share = Decimal((at - first).days) / Decimal((last - first).days)
    return (baseline + (target - baseline) * share).quantize(Decimal("0.01"), ROUND_HALF_UP)


def pace(readings: Sequence[Reading], *, start: Reading, goal: Reading, today: dt.date) -> Pace:
    """Where an objective stands today by its readings, oldest first.

    A reading is compared with the line on its own day while the target date is ahead; afterwards with the target.
    Without a reading the baseline counts, as of today.
    """
    (_, baseline), (last, target) = start, goal
    on, figure = readings[-1] if readings else (today, baseline)
    rises = target > baseline
    expected = target if today > last else expected_on(on, start, goal)
    way = (figure - baseline) / (target - baseline) * 100
    before = readings[-2] if len(readings) > 1 else (start if readings else None)
    return Pace(
        figure=figure,
        on=on,
        percent=int(way.to_integral_value(ROUND_HALF_UP)),
        expected=expected,
        is_reached=figure >= target if rises else figure <= target,
        is_on_track=figure >= expected if rises else figure <= expected,
        change=figure - before[1] if before else None,
        since=before[0] if before else None,
    )
