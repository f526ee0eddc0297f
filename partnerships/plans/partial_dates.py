"""The dates of a plan, ISO text as precise as it came ("2017", "2017-04", "2017-04-11"), and how far they slip."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from partnerships.kit.dates import NotADate, PartialDate


@dataclass(frozen=True, slots=True)
class Slippage:
    """How far one date lies after another (negative: before), in the coarser unit of the two."""

    amount: int
    unit: str  # "day", "month" or "year"

    def words(self) -> str:
        """Say it as partners do: "14 days later", "2 quarters earlier", "5 months later", "" when nothing slipped."""
        size, unit = abs(self.amount), self.unit
        if not size:
            return ""
        if unit == "month" and size % 12 == 0:
            size, unit = size // 12, "year"
        elif unit == "month" and size % 3 == 0:
            size, unit = size // 3, "quarter"
        plural = "" if size == 1 else "s"
        return f"{size} {unit}{plural} {'later' if self.amount > 0 else 'earlier'}"


@lru_cache(maxsize=8192)
def read(text: str) -> PartialDate:
    """Read a year, a month or a day; raise NotADate."""
    partial = PartialDate.parse(text)
    if str(partial) != text or not text.isascii():
        raise NotADate(f"“{text}” is not a date: write 2027, 2027-04 or 2027-04-11.")
    return partial


@lru_cache(maxsize=8192)
def in_words(text: str) -> str:
    """Read "2017-04-11" as "11 April 2017", "2017-04" as "April 2017", "2017" as it is, and "" as ""."""
    return read(text).words if text else ""


def last_day(text: str) -> dt.date:
    """Give the last day on which it may fall: what is due in April 2027 is overdue on 1 May."""
    return read(text).latest


def slippage(was: str, now: str) -> Slippage | None:
    """Measure how much later `now` is than `was`; None when either is missing."""
    if not was or not now:
        return None
    a, b = read(was), read(now)
    if a.day and b.day:
        return Slippage((b.earliest - a.earliest).days, "day")
    if a.month and b.month:
        return Slippage((b.year - a.year) * 12 + b.month - a.month, "month")
    return Slippage(b.year - a.year, "year")
