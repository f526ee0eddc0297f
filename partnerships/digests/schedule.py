"""Works out when a digest is due, from hours, working days, pauses and daylight saving.

These functions read nothing from the database. All times are in UTC, except the hours of a rhythm, which are local.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

AT_ONCE, DAILY, WEEKLY, FORTNIGHTLY, MONTHLY = "at_once", "daily", "weekly", "biweekly", "monthly"
#: The zone that texts need not mention.
HOME = "Europe/London"
#: If a plan changes again and again, a digest waits at most this many times the settle time.
MAX_SETTLING = 4
_SATURDAY = 5
#: Days of the week as a sum (Monday 1, Tuesday 2, Wednesday 4 …): all seven, and Monday to Friday.
EVERY_DAY, _WORKING_WEEK = 127, 31
_DAY = dt.timedelta(days=1)
_WEEK = 7
#: Fortnights are counted from this day, so that they are the same for everyone.
_FIRST_MONDAY = dt.date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often and when a person gets digests.

    For example, weekly with weekday 2 and hour 8 means each Wednesday at 08:00 in the person's zone. Monthly means the
    first such weekday of a month.
    """

    frequency: str = AT_ONCE
    hour: int = 8
    weekday: int = 0
    working_days_of: str = ""  # a nation (`kit.bank_holidays`), or "" for any day
    zone: str = HOME
    paused_until: dt.date | None = None  # the first day on which digests may come again
    days: int = EVERY_DAY  # a sum: Monday 1, Tuesday 2, Wednesday 4 …
    more_hours: int = 0  # further hours of a daily rhythm, a sum: 1 for midnight, 2 for 01:00 …
    paused_from: dt.date | None = None  # the first day of the pause; None if it has begun

    @property
    def hours(self) -> list[int]:
        """Return the hours of the day at which digests are sent, earliest first.

        Only daily rhythms have several hours.
        """
        further_hours = (
            {hour for hour in range(24) if self.more_hours >> hour & 1} if self.frequency == DAILY else set()
        )
        return sorted({self.hour, *further_hours})

    def is_open(self, day: dt.date, holidays: Collection[dt.date]) -> bool:
        """Return True if an email may be sent on this day, apart from a pause."""
        if self.working_days_of and not is_working_day(day, holidays):
            return False
        return bool(self._open_days >> day.weekday() & 1)

    @property
    def _open_days(self) -> int:
        # A person may have chosen only days that "working days only" excludes.
        return self.days if not self.working_days_of or self.days & _WORKING_WEEK else EVERY_DAY

    def is_paused(self, day: dt.date) -> bool:
        """Return True if this day is in the pause."""
        return is_paused(self.paused_from, self.paused_until, day)


def is_paused(start: dt.date | None, end: dt.date | None, day: dt.date) -> bool:
    """Return True if a day is in a pause from `start` to the day before `end`.

    A pause without `start` has begun. Without `end` there is no pause.
    """
    return end is not None and day < end and (start is None or day >= start)


def moment_of(day: dt.date, hour: int, zone: str) -> dt.datetime:
    """Return the time in UTC at which clocks in a zone first show this hour.

    On the day on which clocks go back, an hour may occur twice, and the first is returned. On the day on which clocks
    go forward, an hour may be skipped, and the time of the change is returned.
    """
    # Times have `fold=0`, so the offset from before the change applies to such hours.
    return dt.datetime.combine(day, dt.time(hour), ZoneInfo(zone)).astimezone(dt.UTC)


def local_day(moment: dt.datetime, zone: str) -> dt.date:
    """Return the date in a zone at this time."""
    return moment.astimezone(ZoneInfo(zone)).date()


def in_words(moment: dt.datetime, zone: str) -> str:
    """Return a time in words, such as `Tuesday 24 November 2026, 08:00`, with the zone unless it is London."""
    local = moment.astimezone(ZoneInfo(zone))
    words = f"{local:%A} {local.day} {local:%B %Y, %H:%M}"
    return f"{words}{zone_in_words(zone)}"


def zone_in_words(zone: str) -> str:
    """Return the zone as ` (New York time)`; "" for London."""
    return "" if zone == HOME else f" ({zone.rpartition('/')[2].replace('_', ' ')} time)"


def is_working_day(day: dt.date, holidays: Collection[dt.date]) -> bool:
    """Return True for Monday to Friday, except bank holidays."""
    return day.weekday() < _SATURDAY and day not in holidays


def due(
    rhythm: Rhythm,
    *,
    waiting_since: dt.datetime,
    latest: dt.datetime,
    settle: dt.timedelta,
    holidays: Collection[dt.date] = (),
    taken: Collection[dt.date] = (),
) -> dt.datetime:
    """Return when to send the changes that wait for a person.

    The first change was at `waiting_since`, the last at `latest`. "At once" means after `settle` without a change, but
    at most `MAX_SETTLING` times `settle` after the first change. Other rhythms get the next slot that is not on a local
    date `taken` by an earlier digest.
    """
    if rhythm.frequency != AT_ONCE:
        return next_slot(rhythm, after=waiting_since, holidays=holidays, taken=taken)
    settled_at = min(latest + settle, waiting_since + MAX_SETTLING * settle)
    day = local_day(settled_at, rhythm.zone)
    if rhythm.is_paused(day) or not rhythm.is_open(day, holidays):
        return next(moment for moment, _ in _slots(rhythm, day, holidays) if moment >= settled_at)
    return settled_at


def next_slot(
    rhythm: Rhythm,
    *,
    after: dt.datetime,
    holidays: Collection[dt.date] = (),
    taken: Collection[dt.date] = (),
) -> dt.datetime:
    """Return the first slot at or after a time. For "at once", this is the next full hour."""
    start = local_day(after, rhythm.zone)
    if rhythm.frequency not in (AT_ONCE, DAILY):
        start -= 2 * _WEEK * _DAY  # a slot moved from a bank holiday may belong to an earlier week
    return next(moment for moment, day in _slots(rhythm, start, holidays) if moment >= after and day not in taken)


def _slots(rhythm: Rhythm, start: dt.date, holidays: Collection[dt.date]) -> Iterator[tuple[dt.datetime, dt.date]]:
    """Yield all slots from a day on, with their local dates.

    A slot on a day without emails, such as a bank holiday, moves to the next day with emails.
    """
    day, last_slot = start, None
    while True:
        if _has_slot(rhythm, day):
            slot = day
            while not rhythm.is_open(slot, holidays):
                slot += _DAY
            if slot != last_slot and not rhythm.is_paused(slot):
                for hour in rhythm.hours:
                    yield moment_of(slot, hour, rhythm.zone), slot
                last_slot = slot
        day += _DAY


def _has_slot(rhythm: Rhythm, day: dt.date) -> bool:
    """Return True if the rhythm has a slot on this day, before slots are moved away from closed days."""
    if rhythm.frequency in (AT_ONCE, DAILY):
        return True
    if day.weekday() != rhythm.weekday:
        return False
    if rhythm.frequency == FORTNIGHTLY:
        return (day - _FIRST_MONDAY).days // _WEEK % 2 == 0
    return rhythm.frequency != MONTHLY or day.day <= _WEEK
