"""The meeting cycle of a partnership: its days, and how it reads.

`recognise` guesses the cycle that a text describes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from dateutil.rrule import MO, MONTHLY, WEEKLY, rrule, weekday


class Unit(StrEnum):
    """What a cycle counts."""

    WEEKS = "weeks"
    MONTHS = "months"


class OnHoliday(StrEnum):
    """What to do with a date that falls on a bank holiday."""

    KEEP = "keep"
    LATER = "later"
    EARLIER = "earlier"


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Which one of the weekdays in a month; -1 is the last.
POSITIONS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
#: Weeks or months between two meetings of a cycle, at most.
MAX_INTERVAL = 52

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True, slots=True)
class Cycle:
    """Every `interval` weeks or months, on one weekday.

    `weekday` is 0 for Monday. `position` says which such weekday of the month (a key of `POSITIONS`); weeks have 0.
    `starts_on` is the first possible day; intervals are counted from its week or month.
    """

    unit: Unit
    interval: int
    weekday: int
    position: int
    starts_on: dt.date

    def days(self, *, after: dt.date, count: int) -> list[dt.date]:
        """The next days after this one."""
        after = max(after, self.starts_on - dt.timedelta(days=1))
        moment = dt.datetime.combine(after, dt.time())
        return [day.date() for day in islice(self._rule().xafter(moment), count)]

    def next_day(self, *, after: dt.date) -> dt.date:
        """The next day after this one."""
        return self.days(after=after, count=1)[0]

    @property
    def words(self) -> str:
        """`Every first Tuesday of the month`, `Every six weeks, on a Tuesday`."""
        day = WEEKDAYS[self.weekday]
        if self.unit == Unit.WEEKS:
            return f"Every {day}" if self.interval == 1 else f"Every {_number(self.interval)} weeks, on a {day}"
        which = f"{POSITIONS[self.position]} {day}"
        if self.interval == 1:
            return f"Every {which} of the month"
        often = {3: "Quarterly", 6: "Twice a year", 12: "Once a year"}.get(
            self.interval, f"Every {_number(self.interval)} months"
        )
        return f"{often}, on the {which} of the month"

    def _rule(self) -> rrule:
        if self.unit == Unit.WEEKS:
            start = dt.datetime.combine(self.starts_on, dt.time())
            return rrule(WEEKLY, interval=self.interval, dtstart=start, byweekday=weekday(self.weekday), wkst=MO)
        start = dt.datetime.combine(self.starts_on.replace(day=1), dt.time())
        return rrule(MONTHLY, interval=self.interval, dtstart=start, byweekday=weekday(self.weekday, self.position))


@dataclass(frozen=True, slots=True)
class Settled:
    """A date after looking at bank holidays.

    `moved_from` is the bank holiday that it was moved from. `is_holiday` if it falls on one and was kept.
    """

    day: dt.date
    moved_from: dt.date | None = None
    is_holiday: bool = False


def settle(day: dt.date, holidays: Collection[dt.date], choice: OnHoliday) -> Settled:
    """The day to meet on, moved off a bank holiday if the cycle says so.

    To the next or the last working day.
    """
    if day not in holidays:
        return Settled(day)
    if choice == OnHoliday.KEEP:
        return Settled(day, is_holiday=True)
    step = dt.timedelta(days=1 if choice == OnHoliday.LATER else -1)
    moved = day
    while moved in holidays or moved.weekday() >= 5:
        moved += step
    return Settled(moved, moved_from=day)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text says about how often a partnership meets.

    `weekday` and `position` are None where it says nothing.
    """

    unit: Unit
    interval: int
    weekday: int | None = None
    position: int | None = None

    def cycle(self, starts_on: dt.date) -> Cycle:
        """The cycle from this day on, with its weekday and position for what is missing."""
        day = starts_on.weekday() if self.weekday is None else self.weekday
        position = 0
        if self.unit == Unit.MONTHS:
            position = self.position or position_of(starts_on)
        return Cycle(unit=self.unit, interval=self.interval, weekday=day, position=position, starts_on=starts_on)


def position_of(day: dt.date) -> int:
    """Which of its weekdays in the month a day is; a fifth one is the last."""
    which = (day.day - 1) // 7 + 1
    return which if which < 5 else -1


_COUNT = rf"(\d{{1,2}}|{'|'.join(_NUMBERS)}|other)"
_DAY = rf"({'|'.join(day.lower() for day in WEEKDAYS)})s?"
_WHICH = r"(first|second|third|fourth|last|1st|2nd|3rd|4th)"
_ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth"}
#: Phrases and the unit and interval they mean. "Biweekly" and "bimonthly" mean two things, so they are not here.
_PHRASES: tuple[tuple[str, Unit, int], ...] = (
    (r"(?<!-)\bweekly\b|\b(?:every|each|a|per) week\b", Unit.WEEKS, 1),
    (r"\bfortnightly\b|\b(?:every|each|a|per) fortnight\b", Unit.WEEKS, 2),
    (r"(?<!-)\bmonthly\b|\b(?:every|each|a|per) (?:calendar )?month\b", Unit.MONTHS, 1),
    (r"\bquarterly\b|\b(?:every|each|a|per|the) quarter\b", Unit.MONTHS, 3),
    (r"\b(?:half-|half )yearly\b|\bbiannual(?:ly)?\b|\bevery half[- ]year\b", Unit.MONTHS, 6),
    (r"(?<!half-)(?<!half )\byearly\b|\bannual(?:ly)?\b|\bevery year\b|\bonce (?:a|per|each) year\b", Unit.MONTHS, 12),
)
_UNEVEN = r"\b(?:twice|two times|three times) (?:a|per|each) (?:week|month|quarter)\b|\bbi-?(?:weekly|monthly)\b"
#: Meetings a year, where they fall evenly.
_A_YEAR = {"twice": 6, "two times": 6, "three times": 4, "four times": 3, "six times": 2, "twelve times": 1}


def recognise(text: str) -> Guess | None:
    """How often a text such as `Quarterly, on the first Tuesday` says.

    None if it says nothing known, or more than one thing.
    """
    words = " ".join(text.casefold().replace("\u2013", "-").replace("\u2011", "-").split())
    day = re.search(rf"\b{_DAY}\b", words)
    which = re.search(rf"\b{_WHICH} {_DAY}\b", words)
    weekday_found = [day.lower() for day in WEEKDAYS].index(day[1]) if day else None
    frequencies = _frequencies(words)
    if not frequencies and which:
        frequencies = {(Unit.MONTHS, 1)}
    elif not frequencies and re.search(rf"\b(?:every|each|on) {_DAY}\b", words):
        frequencies = {(Unit.WEEKS, 1)}
    if len(frequencies) != 1:
        return None
    ((unit, interval),) = frequencies
    position = None
    if which and unit == Unit.MONTHS:
        name = _ORDINALS.get(which[1], which[1])
        position = next(number for number, word in POSITIONS.items() if word == name)
    return Guess(unit, interval, weekday_found, position)


def _frequencies(words: str) -> set[tuple[Unit, int]]:
    """Every frequency named in the words, in lower case."""
    units: set[tuple[Unit, int]] = set()
    for often, months in _A_YEAR.items():
        pattern = rf"\b{often} (?:a|per|each|every) year\b"
        if re.search(pattern, words):
            units.add((Unit.MONTHS, months))
    for pattern in (rf"\bevery {_COUNT} (week|month)s?\b", rf"\b{_COUNT}[- ](week|month)ly\b"):
        for count, unit in re.findall(pattern, words):
            units.add((Unit.WEEKS if unit == "week" else Unit.MONTHS, _count(count)))
        words = re.sub(pattern, " ", words)
    if re.search(r"\bevery second week\b", words):
        units.add((Unit.WEEKS, 2))
    named = {(unit, interval) for pattern, unit, interval in _PHRASES if re.search(pattern, words)}
    if re.search(
        r"\b(?:twice|two times|three times) (?:a|per|each) (?:week|month|quarter)\b|\bbi-?(?:week|month)ly", words
    ):
        # Not an even interval, or one that people read in two ways.
        return units | {(Unit.WEEKS, 0), (Unit.MONTHS, 0)}
    # "The first Tuesday of each month, quarterly" is not two frequencies: the quarter decides.
    longer = {frequency for frequency in named if frequency != (Unit.MONTHS, 1)}
    which_of_month = re.search(rf"\b{_WHICH} {_DAY} (?:of|in) (?:the|each|every|a) month\b", words)
    return units | (longer if which_of_month and longer else set() if which_of_month and units else named)


def _count(word: str) -> int:
    if word == "other":
        return 2
    return int(word) if word.isdecimal() else _NUMBERS.index(word) + 1


def _number(count: int) -> str:
    return _NUMBERS[count - 1] if count <= len(_NUMBERS) else str(count)
