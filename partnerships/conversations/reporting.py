"""Periods of progress reports, the day on which each report is due, and the usual questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import TypedDict

from partnerships.kit.dates import MONTHS, long_date

#: Months in each kind of period, by code.
MONTHS_IN = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
#: A round of progress reports may begin at most this many periods ago.
MAX_PERIODS_BACK = 12
#: A progress report is due at most this many working days after its period.
MAX_DUE_DAYS = 60


class Question(TypedDict):
    """A question of a report. The code never changes, and the prompt says what to write about."""

    code: str
    heading: str
    prompt: str


#: The questions that a new round starts with.
USUAL_QUESTIONS: tuple[Question, ...] = (
    {"code": "q1", "heading": "What we did", "prompt": "Describe the main things you did in this period."},
    {
        "code": "q2",
        "heading": "What is late, and why",
        "prompt": "Describe what is late, and what you are doing about it.",
    },
    {"code": "q3", "heading": "Risks", "prompt": "Describe what could stop us, and how likely it is."},
    {"code": "q4", "heading": "What comes next", "prompt": "Describe the main things you plan for the next period."},
    {
        "code": "q5",
        "heading": "What we need from partners",
        "prompt": "Describe the decisions, information or help that you need.",
    },
)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month some months later, or the last day of that month if the month is shorter."""
    months_since_january = day.month - 1 + months
    year, month = day.year + months_since_january // 12, months_since_january % 12 + 1
    next_month = dt.date(year + month // 12, month % 12 + 1, 1)
    last_day = (next_month - dt.timedelta(days=1)).day
    return dt.date(year, month, min(day.day, last_day))


def periods(first: dt.date, kind: str, until: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Return the start and end of each period since `first` that has ended by `until`.

    The end is the day after the last day. For example, the first quarter of 2026 is 1 January to 1 April.
    """
    count = 0
    while True:
        start = add_months(first, MONTHS_IN[kind] * count)
        end = add_months(first, MONTHS_IN[kind] * (count + 1))
        if end > until:
            return
        yield start, end
        count += 1


def periods_with_rest(first: dt.date, kind: str, until: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Return the start and end of each period from `first` to `until`. The last period is shorter if it ends later."""
    last_end = first
    for start, end in periods(first, kind, until):
        yield start, end
        last_end = end
    if last_end < until:
        yield last_end, until


def working_days_after(day: dt.date, count: int, holidays: Collection[dt.date]) -> dt.date:
    """Return the day that is `count` working days after `day`."""
    while count > 0:
        day += dt.timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            count -= 1
    return day


def period_in_words(start: dt.date, end: dt.date) -> str:
    """Return `April 2026`, `April to June 2026`, or the first and last day if the period is not of whole months."""
    last = end - dt.timedelta(days=1)
    if start.day != 1 or end.day != 1:
        return f"{long_date(start)} to {long_date(last)}"
    if (start.year, start.month) == (last.year, last.month):
        return f"{MONTHS[start.month - 1]} {start.year}"
    year = "" if start.year == last.year else f" {start.year}"
    return f"{MONTHS[start.month - 1]}{year} to {MONTHS[last.month - 1]} {last.year}"
