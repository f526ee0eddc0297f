"""When a digest is due: pure thinking about hours, working days, pauses and daylight saving.

All moments come in and go out in UTC; a rhythm says in which zone its hour is meant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

AT_ONCE, DAILY, WEEKLY = "at_once", "daily", "weekly"
#: A steady stream of versions holds a digest back for at most so many settling times.
MOST_SETTLING = 4
_SATURDAY = 5
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How somebody wants digests: how often, at which local hour, on which weekday (0 is Monday), and from which day
    on."""

    frequency: str = AT_ONCE
    hour: int = 8
    weekday: int = 0
    working_days_only: bool = False
    zone: str = "Europe/London"
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

    At once means when it has been quiet for `settle`, but never later than `MOST_SETTLING` times that after the first
    change. Daily and weekly mean the next slot, never on a local date that is `taken` by an earlier digest.
    """
    if rhythm.frequency != AT_ONCE:
        return next_slot(rhythm, after=waiting_since, holidays=holidays, taken=taken)
    settled = min(latest + settle, waiting_since + MOST_SETTLING * settle)
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
    if rhythm.frequency == WEEKLY:
        start -= 14 * _DAY  # a slot moved off a bank holiday may belong to an earlier week
    return next(moment for moment, day in _slots(rhythm, start, holidays) if moment >= after and day not in taken)


def _slots(rhythm: Rhythm, start: dt.date, holidays: Collection[dt.date]) -> Iterator[tuple[dt.datetime, dt.date]]:
    """Every slot from a day on, ascending; a weekly slot on a holiday moves to the next working day."""
    day, last = start, None
    while True:
        if rhythm.frequency != WEEKLY or day.weekday() == rhythm.weekday:
            slot = day
            while rhythm.working_days_only and not is_working_day(slot, holidays):
                slot += _DAY
            if slot != last and not (rhythm.paused_until and slot < rhythm.paused_until):
                yield moment_of(slot, rhythm.hour, rhythm.zone), slot
                last = slot
        day += _DAY
