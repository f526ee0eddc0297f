"""Quarters of the year, which begin in January, April, July and October."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter, by its first day."""

    starts_on: dt.date

    def __post_init__(self) -> None:
        if self.starts_on.day != 1 or self.starts_on.month % 3 != 1:
            raise ValueError("A quarter begins on the first of January, April, July or October.")

    @classmethod
    def of(cls, day: dt.date) -> Quarter:
        """Return the quarter of a day."""
        return cls(dt.date(day.year, day.month - (day.month - 1) % 3, 1))

    @property
    def ends_on(self) -> dt.date:
        """Return the first day of the next quarter."""
        return self.next().starts_on

    def next(self) -> Quarter:
        """Return the next quarter."""
        # 100 days after its first day is always in the next quarter, because a quarter has 90 to 92 days.
        return Quarter.of(self.starts_on + dt.timedelta(days=100))

    def previous(self) -> Quarter:
        """Return the previous quarter."""
        return Quarter.of(self.starts_on - dt.timedelta(days=1))

    @property
    def last_day(self) -> dt.date:
        """Return the last day of the quarter."""
        return self.ends_on - dt.timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.starts_on:%B} to {self.last_day:%B} {self.starts_on.year}"
