"""When a digest is due: pure thinking about hours, working days, pauses and daylight saving.

All moments come in and go out in UTC; a rhythm says in which zone its hour is meant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

AT_ONCE, DAILY, WEEKLY, FORTNIGHTLY, MONTHLY = "at_once", "daily", "weekly", "biweekly", "monthly"
#: Where nothing needs to be said of the zone.
HOME = "Europe/London"
#: A steady stream of versions holds a digest back for at most so many settling times.
MAX_SETTLING = 4
_SATURDAY = 5
_DAY = dt.timedelta(days=1)
_WEEK = 7
#: Fortnights are counted from here, the same for everybody: two people who compare see the same weeks.
_FIRST_MONDAY = dt.date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How somebody wants digests: how often, at which local hour, on which weekday (0 is Monday), and from which day
    on. Monthly means the first such weekday of a month."""

    frequency: str = AT_ONCE
    hour: int = 8
    weekday: int = 0
    working_days_only: bool = False
    zone: str = HOME
    paused_until: dt.date | None = None  # the first day on which mail may come again


def moment_of(day: dt.date, hour: int, zone: str) -> dt.datetime:
    """The moment in UTC at which the clocks of a zone first show this hour of the day.

    Of an hour that comes twice it is the first; an hour that is skipped becomes the moment of the jump, for `fold=0`
    reads the skipped time by the offset from before it.
    """
    return dt.datetime.combine(day, dt.time(hour), ZoneInfo(zone)).astimezone(dt.UTC)


def local_day(moment: dt.datetime, zone: str) -> dt.date:
    """The date that the calendars of a zone show at a moment."""
    return moment.astimezone(ZoneInfo(zone)).date()


def in_words(moment: dt.datetime, zone: str) -> str:
    """A moment by the clocks of a zone, `Tuesday 24 November 2026, 08:00`, with the zone where it is not London's."""
    local = moment.astimezone(ZoneInfo(zone))
    said = f"{local:%A} {local.day} {local:%B %Y, %H:%M}"
    return f"{said}{zone_in_words(zone)}"


def zone_in_words(zone: str) -> str:
    """` (New York time)`; empty for London."""
    return "" if zone == HOME else f" ({zone.rpartition('/')[2].replace('_', ' ')} time)"


def is_working_day(day: dt.date, holidays: Collection[dt.date]) -> bool:
    """Monday to Friday, and no bank holiday."""
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
    """When to tell of something that waits since one moment and last changed at another.

    At once means when it has been quiet for `settle`, but never later than `MAX_SETTLING` times that after the first
    change. Everything else means the next slot, never on a local date that is `taken` by an earlier digest.
    """
    if rhythm.frequency != AT_ONCE:
        return next_slot(rhythm, after=waiting_since, holidays=holidays, taken=taken)
    settled = min(latest + settle, waiting_since + MAX_SETTLING * settle)
    day = local_day(settled, rhythm.zone)
    paused = rhythm.paused_until is not None and day < rhythm.paused_until
    if paused or (rhythm.working_days_only and not is_working_day(day, holidays)):
        return next(moment for moment, _ in _slots(rhythm, day, holidays) if moment >= settled)
    return settled


def next_slot(
    rhythm: Rhythm,
    *,
    after: dt.datetime,
    holidays: Collection[dt.date] = (),
    taken: Collection[dt.date] = (),
) -> dt.datetime:
    """The first moment of the rhythm at or after another; for "at once" that is the hour of the next day that suits."""
    start = local_day(after, rhythm.zone)
    if rhythm.frequency not in (AT_ONCE, DAILY):
        start -= 2 * _WEEK * _DAY  # a slot moved off a bank holiday may belong to an earlier week
    return next(moment for moment, day in _slots(rhythm, start, holidays) if moment >= after and day not in taken)


def _slots(rhythm: Rhythm, start: dt.date, holidays: Collection[dt.date]) -> Iterator[tuple[dt.datetime, dt.date]]:
    """Every slot from a day on, ascending; one on a holiday moves to the next working day."""
    day, last = start, None
    while True:
        if _has_slot(rhythm, day):
            slot = day
            while rhythm.working_days_only and not is_working_day(slot, holidays):
                slot += _DAY
            if slot != last and not (rhythm.paused_until and slot < rhythm.paused_until):
                yield moment_of(slot, rhythm.hour, rhythm.zone), slot
                last = slot
        day += _DAY


def _has_slot(rhythm: Rhythm, day: dt.date) -> bool:
    """Whether a slot belongs to this day, before any moving."""
    if rhythm.frequency in (AT_ONCE, DAILY):
        return True
    if day.weekday() != rhythm.weekday:
        return False
    if rhythm.frequency == FORTNIGHTLY:
        return (day - _FIRST_MONDAY).days // _WEEK % 2 == 0
    return rhythm.frequency != MONTHLY or day.day <= _WEEK
