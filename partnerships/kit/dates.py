"""Partial dates, and days, times and ages in words."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from functools import total_ordering

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_PARTIAL = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2}))?(?:-(?P<day>\d{2}))?")


class NotADate(ValueError):
    """Raised if a text is not a year, month or day in ISO form."""


@total_ordering
@dataclass(frozen=True, slots=True)
class PartialDate:
    """A year (`2017`), a month (`2017-04`) or a day (`2017-04-11`).

    The text form is ISO 8601 without the unknown parts. Partial dates are sorted by their first possible day.
    """

    year: int
    month: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Return the date written as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. Raises `NotADate` for other texts."""
        match = _PARTIAL.fullmatch(text.strip())
        if match is None:
            raise NotADate(f"“{text}” is not a date. Enter 2027, 2027-04 or 2027-04-11.")
        partial = cls(
            int(match["year"]),
            int(match["month"]) if match["month"] else None,
            int(match["day"]) if match["day"] else None,
        )
        try:
            partial.earliest  # noqa: B018 - raises ValueError for days that do not exist, such as 2027-02-30
        except ValueError as error:
            raise NotADate(f"“{text}” is not a real date. Check the day and the month.") from error
        return partial

    @property
    def precision(self) -> str:
        """Return the known precision: `year`, `month` or `day`."""
        return "day" if self.day else "month" if self.month else "year"

    @property
    def earliest(self) -> dt.date:
        """Return the first day that the date could be."""
        return dt.date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> dt.date:
        """Return the last day that the date could be."""
        if self.day:
            return self.earliest
        if self.month:
            return dt.date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])
        return dt.date(self.year, 12, 31)

    def __str__(self) -> str:
        text = f"{self.year:04d}"
        if self.month:
            text += f"-{self.month:02d}"
        if self.day:
            text += f"-{self.day:02d}"
        return text

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, PartialDate):
            return NotImplemented
        return (self.earliest, self.latest) < (other.earliest, other.latest)

    @property
    def words(self) -> str:
        """Return the date as people write it: `11 April 2027`, `April 2027` or `2027`."""
        if self.day and self.month:
            return f"{self.day} {MONTHS[self.month - 1]} {self.year}"
        if self.month:
            return f"{MONTHS[self.month - 1]} {self.year}"
        return str(self.year)


def known_day(day: dt.date | None) -> PartialDate | None:
    """Return the day as a partial date, or None if there is no day."""
    return PartialDate(day.year, day.month, day.day) if day else None


def long_date(day: dt.date) -> str:
    """Return a day as people write it, such as `12 November 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def long_time(local: dt.datetime) -> str:
    """Return a moment such as `12 November 2026, 09:14`, in the moment's own time zone."""
    return f"{long_date(local.date())}, {local:%H:%M}"


def overdue_in_words(due: dt.date, today: dt.date) -> str:
    """Return how late something is, such as `overdue by 3 days`, or "" until the due day has passed."""
    days = (today - due).days
    return f"overdue by {days} day{'' if days == 1 else 's'}" if days > 0 else ""


def age_in_words(since: dt.date, today: dt.date) -> str:
    """Return an age such as `today`, `23 days` or `2 years`. An age under two years is in days."""
    days = (today - since).days
    if days <= 0:
        return "today"
    if days < 730:
        return "1 day" if days == 1 else f"{days} days"
    return f"{days // 365} years"


def covers(start: dt.date | None, end: dt.date | None, day: dt.date) -> bool:
    """Return whether the period from `start` to the day before `end` contains the day.

    A period without `start` has always been running, and one without `end` never ends.
    """
    return (start is None or start <= day) and (end is None or day < end)
