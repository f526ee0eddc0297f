"""The lock for planning, and when digests are due, in Python and in SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from partnerships.digests.models import Slot
from partnerships.digests.schedule import AT_ONCE, Rhythm, due, local_day, next_slot
from partnerships.kit.bank_holidays import holidays

#: The key of the advisory lock: "dige" in ASCII. No other lock uses this key.
_LOCK = 0x6469_6765


def settle_time() -> dt.timedelta:
    """Return how long an "at once" digest waits after the last change, so that one email contains all changes."""
    return dt.timedelta(minutes=settings.DIGEST_SETTLE_MINUTES)


def days_with_digest(person_ids: Collection[int], now: dt.datetime) -> dict[int, set[dt.date]]:
    """Return the local dates, from yesterday on, on which each person already has a scheduled digest, by person."""
    slots = Slot.objects.filter(recipient__in=person_ids, slot_on__gte=now.date() - dt.timedelta(days=1))
    days_by_person: dict[int, set[dt.date]] = {}
    for person_id, day in slots.values_list("recipient", "slot_on"):
        days_by_person.setdefault(person_id, set()).add(day)
    return days_by_person


def lock_planning() -> None:
    """Take the lock for planning digests, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def run(sql: str, params: dict[str, Any]) -> int:
    """Run one statement, and return how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


#: A common table expression with the next two slots of each rhythm. `slot_columns` returns its parameters.
SLOT = """
slot(frequency, hour, weekday, working_days_of, zone, paused_until, days, paused_from, direct, first_at, first_day,
     then_at) AS (
    SELECT * FROM unnest(%(s_frequency)s::text[], %(s_hour)s::int[], %(s_weekday)s::int[], %(s_working)s::text[],
                         %(s_zone)s::text[], %(s_paused)s::date[], %(s_days)s::int[],
                         %(s_paused_from)s::date[], %(s_direct)s::bool[], %(s_first)s::timestamptz[],
                         %(s_day)s::date[], %(s_then)s::timestamptz[])
)
"""


#: The end of an UPDATE that gives each watermark `t` in `wanted` its slot, unless it is due "at once" (`direct`). A
#: person who already had a digest on the date of the first slot gets the second slot. OFFSET 0 makes PostgreSQL use the
#: index for each row instead of reading the whole table.
DUE_IN_SLOT = """WHEN t.slotted AND t.due_at IS NOT NULL THEN t.due_at
           WHEN EXISTS (SELECT 1 FROM digests_slot d
                         WHERE d.recipient_id = t.recipient_id AND d.slot_on = s.first_day OFFSET 0)
               THEN s.then_at
           ELSE s.first_at END,
       slotted = NOT s.direct
  FROM wanted w
  JOIN slot s ON s.frequency = w.frequency AND s.hour = w.hour AND s.weekday = w.weekday
             AND s.working_days_of = w.working_days_of AND s.zone = w.zone AND s.paused_until = w.paused_until
             AND s.days = w.days AND s.paused_from = w.paused_from
 WHERE t.id = w.id
"""


#: Selects all rhythms that digests to the followers may have. The frequency of a rhythm is that of a subscription or,
#: for other records, the person's own.
_RHYTHMS = """
SELECT DISTINCT COALESCE(NULLIF(f.frequency, ''), p.frequency, 'at_once'), COALESCE(p.hour, 8),
       COALESCE(p.weekday, 0), COALESCE(p.working_days_of, ''), u.time_zone, p.paused_until,
       COALESCE(p.days, 127), 0, p.paused_from
  FROM {view} f JOIN people_user u ON u.id = f.person_id
  LEFT JOIN digests_preference p ON p.person_id = f.person_id
 WHERE f.{column} = ANY(%(ids)s)
UNION
SELECT DISTINCT COALESCE(p.frequency, 'at_once'), COALESCE(p.hour, 8), COALESCE(p.weekday, 0),
       COALESCE(p.working_days_of, ''), u.time_zone, p.paused_until,
       COALESCE(p.days, 127), 0, p.paused_from
  FROM {view} f JOIN people_user u ON u.id = f.person_id
  LEFT JOIN digests_preference p ON p.person_id = f.person_id
 WHERE f.{column} = ANY(%(ids)s) AND f.frequency <> ''
"""


def rhythms_of(view: str, column: str, ids: Sequence[int]) -> list[Rhythm]:
    """Return the rhythms of the followers of these plans or subjects.

    `view` is a database view of followers, and `column` is its column with the id of the plan or subject.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RHYTHMS.format(view=view, column=column), {"ids": list(ids)})
        return [Rhythm(*row) for row in cursor.fetchall()]


class _SlotRow(NamedTuple):
    """A rhythm and its next two slots, as parameters of `SLOT`."""

    frequency: str
    hour: int
    weekday: int
    working: str
    zone: str
    paused: str
    days: int
    paused_from: str
    direct: bool
    first: dt.datetime
    day: dt.date
    then: dt.datetime


def slot_columns(rhythms: Iterable[Rhythm], now: dt.datetime) -> dict[str, Any]:
    """Return the next two slots of each rhythm as columns, which are the parameters of `SLOT`."""
    rows = [_slot_row(rhythm, now) for rhythm in rhythms]
    return {f"s_{name}": [getattr(row, name) for row in rows] for name in _SlotRow._fields}


def _slot_row(rhythm: Rhythm, now: dt.datetime) -> _SlotRow:
    """Return a rhythm with its next two slots."""
    holidays_of_rhythm = holidays(rhythm.working_days_of)
    first_slot = due(rhythm, waiting_since=now, latest=now, settle=settle_time(), holidays=holidays_of_rhythm)
    first_day = local_day(first_slot, rhythm.zone)
    return _SlotRow(
        frequency=rhythm.frequency,
        hour=rhythm.hour,
        weekday=rhythm.weekday,
        working=rhythm.working_days_of,
        zone=rhythm.zone,
        paused=_sql_date(rhythm.paused_until),
        days=rhythm.days,
        paused_from=_sql_date(rhythm.paused_from),
        direct=rhythm.frequency == AT_ONCE and first_slot == now + settle_time(),
        first=first_slot,
        day=first_day,
        then=next_slot(rhythm, after=first_slot, holidays=holidays_of_rhythm, taken={first_day}),
    )


def _sql_date(day: dt.date | None) -> str:
    """Return a date for PostgreSQL; "-infinity" for None, because `DUE_IN_SLOT` compares these columns with `=`."""
    return "-infinity" if day is None else day.isoformat()
