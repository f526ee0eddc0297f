"""The meeting cycle of a partnership. It computes the days of meetings, and recognises a cycle in a text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from dateutil.rrule import MO, MONTHLY, WEEKLY, rrule, weekday


class Unit(StrEnum):
    """The unit of a cycle's interval."""

    WEEKS = "weeks"
    MONTHS = "months"


class OnHoliday(StrEnum):
    """How the cycle treats a date that falls on a bank holiday."""

    KEEP = "keep"
    LATER = "later"
    EARLIER = "earlier"


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Positions of a weekday in the month; -1 is the last.
POSITIONS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
#: Weeks or months between two meetings of a cycle, at most.
MAX_INTERVAL = 52

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle of meetings: every `interval` weeks or months, on one weekday."""

    unit: Unit
    interval: int
    #: 0 is Monday.
    weekday: int
    #: Which of these weekdays in the month (a key of `POSITIONS`); 0 if the cycle counts weeks.
    position: int
    #: The first possible day. Intervals are counted from its week or month.
    starts_on: dt.date

    def days(self, *, after: dt.date, count: int) -> list[dt.date]:
        """Return the first `count` days of the cycle later than `after`."""
        day_before_first = max(after, self.starts_on - dt.timedelta(days=1))
        start = dt.datetime.combine(day_before_first, dt.time())
        return [day.date() for day in islice(self._rule().xafter(start), count)]

    def next_day(self, *, after: dt.date) -> dt.date:
        """Return the first day of the cycle later than `after`."""
        return self.days(after=after, count=1)[0]

    @property
    def words(self) -> str:
        """Return the cycle as text, such as `Every first Tuesday of the month` or `Every six weeks, on a Tuesday`."""
        day = WEEKDAYS[self.weekday]
        if self.unit == Unit.WEEKS:
            return f"Every {day}" if self.interval == 1 else f"Every {_number(self.interval)} weeks, on a {day}"
        day_of_month = f"{POSITIONS[self.position]} {day} of the month"
        if self.interval == 1:
            return f"Every {day_of_month}"
        frequency = {3: "Quarterly", 6: "Twice a year", 12: "Once a year"}.get(
            self.interval, f"Every {_number(self.interval)} months"
        )
        return f"{frequency}, on the {day_of_month}"

    def _rule(self) -> rrule:
        """Return the recurrence rule of the cycle.

        A rule in months starts on the first of the month. Otherwise a cycle that starts late in a month would begin
        with the next month. `days` leaves out days before `starts_on`.
        """
        if self.unit == Unit.WEEKS:
            start = dt.datetime.combine(self.starts_on, dt.time())
            return rrule(WEEKLY, interval=self.interval, dtstart=start, byweekday=weekday(self.weekday), wkst=MO)
        start = dt.datetime.combine(self.starts_on.replace(day=1), dt.time())
        return rrule(MONTHLY, interval=self.interval, dtstart=start, byweekday=weekday(self.weekday, self.position))


@dataclass(frozen=True, slots=True)
class MeetingDay:
    """The day of a meeting, after a check for bank holidays."""

    day: dt.date
    #: The bank holiday from which the meeting was moved.
    moved_from: dt.date | None = None
    #: Whether the meeting stays on a bank holiday.
    is_holiday: bool = False


def move_off_holiday(day: dt.date, holidays: Collection[dt.date], choice: OnHoliday) -> MeetingDay:
    """Return the day of a meeting that the cycle puts on this day.

    If the day is a bank holiday, the meeting remains on it or moves to the next or previous working day, by `choice`.
    """
    if day not in holidays:
        return MeetingDay(day)
    if choice == OnHoliday.KEEP:
        return MeetingDay(day, is_holiday=True)
    step = dt.timedelta(days=1 if choice == OnHoliday.LATER else -1)
    working_day = day
    while working_day in holidays or working_day.weekday() >= 5:
        working_day += step
    return MeetingDay(working_day, moved_from=day)


@dataclass(frozen=True, slots=True)
class RecognisedCycle:
    """How often a partnership meets, according to a text."""

    unit: Unit
    interval: int
    #: 0 is Monday; None if the text names no weekday.
    weekday: int | None = None
    #: A key of `POSITIONS`; None if the text does not say which week of the month.
    position: int | None = None

    def cycle(self, starts_on: dt.date) -> Cycle:
        """Return the cycle that starts on this day.

        A weekday or position that the text did not name is taken from this day.
        """
        position = 0
        if self.unit == Unit.MONTHS:
            position = self.position or position_of(starts_on)
        return Cycle(
            unit=self.unit,
            interval=self.interval,
            weekday=starts_on.weekday() if self.weekday is None else self.weekday,
            position=position,
            starts_on=starts_on,
        )


def position_of(day: dt.date) -> int:
    """Return the position of a day among the same weekdays of its month, as a key of `POSITIONS`.

    A fifth Tuesday counts as the last Tuesday.
    """
    position = (day.day - 1) // 7 + 1
    return position if position < 5 else -1


_COUNT = rf"(\d{{1,2}}|{'|'.join(_NUMBERS)}|other)"
_DAY = rf"({'|'.join(day.lower() for day in WEEKDAYS)})s?"
_POSITION = r"(first|second|third|fourth|last|1st|2nd|3rd|4th)"
_ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth"}
#: Phrases with their unit and interval. "Biweekly" and "bimonthly" are ambiguous, so they are not here.
_PHRASES: tuple[tuple[str, Unit, int], ...] = (
    (r"(?<!-)\bweekly\b|\b(?:every|each|a|per) week\b", Unit.WEEKS, 1),
    (r"\bfortnightly\b|\b(?:every|each|a|per) fortnight\b", Unit.WEEKS, 2),
    (r"(?<!-)\bmonthly\b|\b(?:every|each|a|per) (?:calendar )?month\b", Unit.MONTHS, 1),
    (r"\bquarterly\b|\b(?:every|each|a|per|the) quarter\b", Unit.MONTHS, 3),
    (r"\b(?:half-|half )yearly\b|\bbiannual(?:ly)?\b|\bevery half[- ]year\b", Unit.MONTHS, 6),
    (r"(?<!half-)(?<!half )\byearly\b|\bannual(?:ly)?\b|\bevery year\b|\bonce (?:a|per|each) year\b", Unit.MONTHS, 12),
)
#: Phrases without a regular interval, or whose interval people understand in two ways.
_AMBIGUOUS = r"\b(?:twice|two times|three times) (?:a|per|each) (?:week|month|quarter)\b|\bbi-?(?:week|month)ly"
#: Intervals in months by the number of meetings a year.
_MONTHS_BY_COUNT = {"twice": 6, "two times": 6, "three times": 4, "four times": 3, "six times": 2, "twelve times": 1}

#: A unit and an interval.
_Frequency = tuple[Unit, int]


def recognise_cycle(text: str) -> RecognisedCycle | None:
    """Return how often a partnership meets according to a text such as `Quarterly, on the first Tuesday`.

    Returns None if the text names no frequency that we know, or more than one, or one that people understand in two
    ways, such as "bimonthly".
    """
    words = " ".join(text.casefold().replace("\u2013", "-").replace("\u2011", "-").split())
    interval_frequencies, remaining_words = _split_off_intervals(words)
    if re.search(_AMBIGUOUS, remaining_words):
        return None
    day_match = re.search(rf"\b{_DAY}\b", words)
    position_match = re.search(rf"\b{_POSITION} {_DAY}\b", words)

    frequencies = _counted_frequencies(words) | interval_frequencies
    frequencies = _with_named_frequencies(frequencies, remaining_words)
    if not frequencies and position_match:
        frequencies = {(Unit.MONTHS, 1)}
    elif not frequencies and re.search(rf"\b(?:every|each|on) {_DAY}\b", words):
        frequencies = {(Unit.WEEKS, 1)}
    if len(frequencies) != 1:
        return None
    ((unit, interval),) = frequencies

    position = None
    if position_match and unit == Unit.MONTHS:
        name = _ORDINALS.get(position_match[1], position_match[1])
        position = next(key for key, word in POSITIONS.items() if word == name)
    day_names = [day.lower() for day in WEEKDAYS]
    return RecognisedCycle(
        unit=unit,
        interval=interval,
        weekday=day_names.index(day_match[1]) if day_match else None,
        position=position,
    )


def _with_named_frequencies(frequencies: set[_Frequency], remaining_words: str) -> set[_Frequency]:
    """Return these frequencies and those that phrases such as "quarterly" name in the rest of the text."""
    named = {(unit, interval) for pattern, unit, interval in _PHRASES if re.search(pattern, remaining_words)}
    # "The first Tuesday of each month, quarterly" names one frequency. Its "each month" only says which Tuesday.
    if re.search(rf"\b{_POSITION} {_DAY} (?:of|in) (?:the|each|every|a) month\b", remaining_words):
        other_frequencies = frequencies | named - {(Unit.MONTHS, 1)}
        if other_frequencies:
            return other_frequencies
    return frequencies | named


#: "Every six weeks", "two-monthly".
_INTERVALS = (rf"\bevery {_COUNT} (week|month)s?\b", rf"\b{_COUNT}[- ](week|month)ly\b")


def _split_off_intervals(words: str) -> tuple[set[_Frequency], str]:
    """Return frequencies such as "every six weeks" and "two-monthly", and the text without their phrases.

    The words of these phrases would match other patterns too.
    """
    frequencies: set[_Frequency] = set()
    remaining_words = words
    for pattern in _INTERVALS:
        for count, unit in re.findall(pattern, remaining_words):
            frequencies.add((Unit.WEEKS if unit == "week" else Unit.MONTHS, _count(count)))
        remaining_words = re.sub(pattern, " ", remaining_words)
    return frequencies, remaining_words


def _counted_frequencies(words: str) -> set[_Frequency]:
    """Return frequencies such as "four times a year" and "every second week"."""
    frequencies: set[_Frequency] = set()
    for count, months in _MONTHS_BY_COUNT.items():
        if re.search(rf"\b{count} (?:a|per|each|every) year\b", words):
            frequencies.add((Unit.MONTHS, months))
    if re.search(r"\bevery second week\b", words):
        frequencies.add((Unit.WEEKS, 2))
    return frequencies


def _count(word: str) -> int:
    """Return the number that a word means. For example, `six` and `6` are 6, and `other` is 2 ("every other week")."""
    if word == "other":
        return 2
    return int(word) if word.isdecimal() else _NUMBERS.index(word) + 1


def _number(count: int) -> str:
    """Return a number as a word up to twelve, and in digits above."""
    return _NUMBERS[count - 1] if count <= len(_NUMBERS) else str(count)
