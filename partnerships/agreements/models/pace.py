"""Work out the progress of an objective, and whether it is on track.

An objective is on track if its figure is at or past the straight line from its baseline to its target.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

#: A day, and the figure on that day.
Reading: TypeAlias = tuple[dt.date, Decimal]


@dataclass(frozen=True, slots=True)
class Pace:
    """The latest figure of an objective, compared with its baseline and target."""

    figure: Decimal
    #: The day of the figure.
    on: dt.date
    #: 0 at the baseline, 100 at the target. Below 0 if the figure moved away from the target, above 100 past it.
    percent: int
    #: The figure that the straight line gives for the day.
    expected: Decimal
    is_reached: bool
    is_on_track: bool
    #: Difference from the figure before, and the day of that figure. None if there is no earlier figure.
    change: Decimal | None
    since: dt.date | None

    @property
    def trend(self) -> str:
        """Return how the figure moved: `up`, `down`, `same`, or "" if no earlier figure is known."""
        if self.change is None:
            return ""
        if self.change == 0:
            return "same"
        return "up" if self.change > 0 else "down"


def expected_on(day: dt.date, start: Reading, goal: Reading) -> Decimal:
    """Return the figure that the straight line from baseline to target gives for a day.

    For example, halfway between the two dates, it is halfway between the two figures. Before the first date, it is the
    baseline, and after the target date, the target.
    """
    start_day, baseline = start
    target_day, target = goal
    day_on_line = min(max(day, start_day), target_day)
    share = Decimal((day_on_line - start_day).days) / Decimal((target_day - start_day).days)
    return (baseline + (target - baseline) * share).quantize(Decimal("0.01"), ROUND_HALF_UP)


def pace(readings: Sequence[Reading], *, start: Reading, goal: Reading, today: dt.date) -> Pace:
    """Return the progress of an objective today. The readings come oldest first.

    Until the target date, the latest reading is compared with the straight line on the day of the reading. After the
    target date, it is compared with the target. Without a reading, the figure of today is the baseline.
    """
    _, baseline = start
    target_day, target = goal
    should_rise = target > baseline

    day, figure = readings[-1] if readings else (today, baseline)
    expected = target if today > target_day else expected_on(day, start, goal)
    percent = (figure - baseline) / (target - baseline) * 100

    change = previous_day = None
    if readings:
        previous_day, previous_figure = readings[-2] if len(readings) > 1 else start
        change = figure - previous_figure

    return Pace(
        figure=figure,
        on=day,
        percent=int(percent.to_integral_value(ROUND_HALF_UP)),
        expected=expected,
        is_reached=figure >= target if should_rise else figure <= target,
        is_on_track=figure >= expected if should_rise else figure <= expected,
        change=change,
        since=previous_day,
    )
