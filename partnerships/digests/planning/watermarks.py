"""Watermarks: what each follower last received, and what is due when.

Everything here is a statement over sets of followers. Callers open the transaction and take `lock_planning` before they
lock any row: its holder waits for rows, so a transaction that holds rows must not wait for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Max

from partnerships.digests.models import Following, Publication, Watermark
from partnerships.digests.queries.readers import PlanReach, newest_numbers, reach_of, readers_sql
from partnerships.digests.schedule import AT_ONCE, MAX_SETTLING, Rhythm, due, local_day, next_slot
from partnerships.kit.bank_holidays import holidays
from partnerships.kit.database import rows_of

_LOCK = 0x6469_6765  # "dige": a number no other advisory lock uses


def settle_time() -> dt.timedelta:
    """How long a plan must be unchanged before an "at once" digest."""
    return dt.timedelta(minutes=settings.DIGEST_SETTLE_MINUTES)


def lock_planning() -> None:
    """Take the lock for planning digests, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def run(sql: str, params: dict[str, Any]) -> int:
    """Run one statement and return how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


_TARGET = """
target(plan_id, own_number, open_number, latest) AS (
    SELECT * FROM unnest(%(target_plans)s::bigint[], %(own)s::int[], %(open)s::int[], %(latest)s::timestamptz[])
)
"""

# Most versions have no followers without a watermark or without access; checking that is cheaper than working out all
# followers' rights.
_NEW = """
SELECT 1 FROM digests_following f
 WHERE f.plan_id = ANY(%(target_plans)s)
   AND NOT EXISTS (SELECT 1 FROM digests_watermark t WHERE t.recipient_id = f.person_id AND t.plan_id = f.plan_id)
 LIMIT 1
"""
_UNREADABLE = (
    "SELECT 1 FROM digests_watermark t WHERE t.reading_class = 'none' AND t.plan_id = ANY(%(target_plans)s) LIMIT 1"
)

# Followers without a watermark: the plan is new to them (0), or they cannot read it (none).
_INSERT = """
INSERT INTO digests_watermark (recipient_id, plan_id, number, reading_class, told_at, slotted)
SELECT f.person_id, f.plan_id,
       CASE WHEN r.reading IS NULL THEN t.open_number ELSE 0 END,
       CASE r.reading WHEN 1 THEN 'inside' WHEN 2 THEN 'outside' ELSE 'none' END,
       %(now)s, false
  FROM (SELECT DISTINCT person_id, plan_id FROM following) f
  JOIN target t ON t.plan_id = f.plan_id
  LEFT JOIN readers r ON r.person_id = f.person_id AND r.plan_id = f.plan_id
 WHERE (r.reading IS NOT NULL OR t.open_number > 0)
   AND NOT EXISTS (SELECT 1 FROM digests_watermark k WHERE k.recipient_id = f.person_id AND k.plan_id = f.plan_id)
ON CONFLICT DO NOTHING
"""

# People who wrote every version since their last digest need no digest.
_AUTHORS = """
UPDATE digests_watermark t SET number = p.current_number, due_at = NULL, waiting_since = NULL
  FROM plans_plan p
 WHERE p.id = ANY(%(target_plans)s) AND t.plan_id = p.id AND t.number < p.current_number
   AND t.recipient_id IN (
       SELECT v.author_id FROM plans_version v WHERE v.plan_id = p.id AND v.number = p.current_number)
   AND NOT EXISTS (
       SELECT 1 FROM plans_version v
        WHERE v.plan_id = t.plan_id AND v.number > t.number AND v.author_id IS DISTINCT FROM t.recipient_id)
"""

# The frequency of the closest subscription with its own, else the person's, else the default of models.Preference.
_RHYTHM = """
SELECT t.id, t.recipient_id, COALESCE(o.frequency, p.frequency, 'at_once') AS frequency, COALESCE(p.hour, 8) AS hour,
       COALESCE(p.weekday, 0) AS weekday, COALESCE(p.working_days_only, false) AS working_days_only,
       u.time_zone AS zone, COALESCE(p.paused_until, '-infinity') AS paused_until, g.latest
  FROM digests_watermark t
  JOIN readers r ON r.person_id = t.recipient_id AND r.plan_id = t.plan_id
  JOIN target g ON g.plan_id = t.plan_id
  JOIN people_user u ON u.id = t.recipient_id
  LEFT JOIN digests_preference p ON p.person_id = t.recipient_id
  LEFT JOIN own_frequency o ON o.person_id = t.recipient_id AND o.plan_id = t.plan_id
 WHERE t.number < CASE WHEN g.own_number = g.open_number OR EXISTS (
                      SELECT 1 FROM plans_planowner w JOIN acting a ON a.organisation_id = w.organisation_id
                       WHERE w.plan_id = t.plan_id AND w.ended_at IS NULL AND a.person_id = t.recipient_id)
                  THEN g.own_number ELSE g.open_number END
 ORDER BY t.recipient_id, t.plan_id
   FOR UPDATE OF t
"""

_OWN_FREQUENCY = """
own_frequency AS (
    SELECT DISTINCT ON (person_id, plan_id) person_id, plan_id, frequency FROM digests_following
     WHERE plan_id = ANY(%(plans)s) AND frequency <> '' ORDER BY person_id, plan_id, rank, subscription_id
)
"""

# OFFSET 0: use the index for each row instead of reading the whole ledger.
_WAIT = """
UPDATE digests_watermark t
   SET waiting_since = COALESCE(t.waiting_since, %(now)s),
       due_at = CASE
           WHEN s.direct THEN LEAST(GREATEST(w.latest, COALESCE(t.waiting_since, w.latest)) + %(settle)s,
                                    COALESCE(t.waiting_since, w.latest) + %(limit)s)
           WHEN t.slotted AND t.due_at IS NOT NULL THEN t.due_at
           WHEN EXISTS (SELECT 1 FROM digests_slot d
                         WHERE d.recipient_id = t.recipient_id AND d.slot_on = s.first_day OFFSET 0)
               THEN s.then_at
           ELSE s.first_at END,
       slotted = NOT s.direct
  FROM wanted w
  JOIN slot s ON s.frequency = w.frequency AND s.hour = w.hour AND s.weekday = w.weekday
             AND s.working_days_only = w.working_days_only AND s.zone = w.zone AND s.paused_until = w.paused_until
 WHERE t.id = w.id
"""

_SLOT = """
slot(frequency, hour, weekday, working_days_only, zone, paused_until, direct, first_at, first_day, then_at) AS (
    SELECT * FROM unnest(%(s_frequency)s::text[], %(s_hour)s::int[], %(s_weekday)s::int[], %(s_working)s::bool[],
                         %(s_zone)s::text[], %(s_paused)s::date[], %(s_direct)s::bool[], %(s_first)s::timestamptz[],
                         %(s_day)s::date[], %(s_then)s::timestamptz[])
)
"""

# One email for changes to several plans: a person's "at once" items wait for the last of them.
_TOGETHER = """
WITH together AS (
    SELECT recipient_id, LEAST(max(due_at), min(waiting_since) + %(limit)s) AS due_at
      FROM digests_watermark
     WHERE due_at IS NOT NULL AND NOT slotted AND due_at > %(now)s AND recipient_id IN (
           SELECT recipient_id FROM digests_watermark WHERE plan_id = ANY(%(target_plans)s) AND due_at IS NOT NULL)
     GROUP BY recipient_id HAVING count(*) > 1
)
UPDATE digests_watermark t SET due_at = together.due_at FROM together
 WHERE t.recipient_id = together.recipient_id AND t.due_at > %(now)s AND NOT t.slotted AND t.due_at <> together.due_at
"""


# People whose pause has not ended by their own calendar. The first condition uses the index.
_PAUSED = """
SELECT p.person_id FROM digests_preference p JOIN people_user u ON u.id = p.person_id
 WHERE p.paused_until >= %s::date AND p.paused_until > (%s AT TIME ZONE u.time_zone)::date
"""

# Everything waiting for a person, matches too, at the earliest of its times.
_JOIN = """
WITH waiting AS (
    SELECT recipient_id, due_at, slotted FROM digests_watermark
     WHERE recipient_id = ANY(%(people)s) AND due_at IS NOT NULL
    UNION ALL
    SELECT recipient_id, due_at, slotted FROM digests_matchnotice
     WHERE recipient_id = ANY(%(people)s) AND due_at IS NOT NULL AND told_at IS NULL
),
first AS (SELECT DISTINCT ON (recipient_id) * FROM waiting ORDER BY recipient_id, due_at, slotted),
matches AS (
    UPDATE digests_matchnotice m SET due_at = first.due_at, slotted = first.slotted FROM first
     WHERE m.recipient_id = first.recipient_id AND m.due_at <> first.due_at AND m.told_at IS NULL
)
UPDATE digests_watermark t SET due_at = first.due_at, slotted = first.slotted FROM first
 WHERE t.recipient_id = first.recipient_id AND t.due_at <> first.due_at
"""


def join_waiting(*, people: Sequence[int]) -> None:
    """Send all that waits for each person together, at the earliest time.

    A pause ends with one email, even with several frequencies.
    """
    if people:
        run(_JOIN, {"people": list(people)})


def _paused(now: dt.datetime) -> list[int]:
    yesterday = now - dt.timedelta(days=1)  # no zone is further behind
    with connection.cursor() as cursor:
        cursor.execute(_PAUSED, [yesterday, now])
        return [person for (person,) in cursor.fetchall()]


def mark_waiting(latest: dict[int, dt.datetime], *, now: dt.datetime, people: Sequence[int] | None = None) -> None:
    """Mark followers of these plans as waiting for their new versions.

    `latest` maps plans to the time of their last change. With `people`, only those are rescheduled.
    """
    plans = sorted(latest)
    newest = newest_numbers(plans, now)
    reach = reach_of(plans, now)
    readers, params = readers_sql(reach, people)
    params |= {
        "now": now,
        "target_plans": plans,
        "own": [newest[plan][0] for plan in plans],
        "open": [newest[plan][1] for plan in plans],
        "latest": [latest[plan] for plan in plans],
        "settle": settle_time(),
        "limit": MAX_SETTLING * settle_time(),
    }
    if rows_of(_NEW, params):
        run(f"WITH {readers}, {_TARGET} {_INSERT}", params)
    if rows_of(_UNREADABLE, params):
        admit(reach, now=now, people=people)
    run(_AUTHORS, params)
    params |= _slots(plans, now)
    run(f"WITH {readers}, {_TARGET}, {_SLOT}, {_OWN_FREQUENCY}, wanted AS ({_RHYTHM}) {_WAIT}", params)
    if settings.DIGEST_SETTLE_MINUTES:
        run(_TOGETHER, params)
    join_waiting(people=_paused(now))


def _slots(plans: Sequence[int], now: dt.datetime) -> dict[str, Any]:
    """The next two slots for each rhythm of these plans' followers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT COALESCE(NULLIF(f.frequency, ''), p.frequency, 'at_once'), COALESCE(p.hour, 8),"
            " COALESCE(p.weekday, 0), COALESCE(p.working_days_only, false), u.time_zone, p.paused_until"
            " FROM digests_following f JOIN people_user u ON u.id = f.person_id"
            " LEFT JOIN digests_preference p ON p.person_id = f.person_id"
            " WHERE f.plan_id = ANY(%s)"
            " UNION SELECT DISTINCT COALESCE(p.frequency, 'at_once'), COALESCE(p.hour, 8), COALESCE(p.weekday, 0),"
            " COALESCE(p.working_days_only, false), u.time_zone, p.paused_until"
            " FROM digests_following f JOIN people_user u ON u.id = f.person_id"
            " LEFT JOIN digests_preference p ON p.person_id = f.person_id"
            " WHERE f.plan_id = ANY(%s) AND f.frequency <> ''",
            [list(plans), list(plans)],
        )
        rhythms = [Rhythm(*row) for row in cursor.fetchall()]
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("frequency", "hour", "weekday", "working", "zone", "paused", "direct", "first", "day", "then")
    }
    for rhythm in rhythms:
        settled = due(rhythm, waiting_since=now, latest=now, settle=settle_time(), holidays=holidays())
        direct = rhythm.frequency == AT_ONCE and settled == now + settle_time()
        day = local_day(settled, rhythm.zone)
        then = next_slot(rhythm, after=settled, holidays=holidays(), taken={day})
        row = (
            rhythm.frequency,
            rhythm.hour,
            rhythm.weekday,
            rhythm.working_days_only,
            rhythm.zone,
            rhythm.paused_until or dt.date.min,
            direct,
            settled,
            day,
            then,
        )
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    columns["paused"] = ["-infinity" if day == dt.date.min else day.isoformat() for day in columns["paused"]]
    return {f"s_{name}": values for name, values in columns.items()}


def admit(reach: PlanReach, *, now: dt.datetime, people: Sequence[int] | None = None) -> int:
    """Start people who gained access at the present version; return how many."""
    newest = newest_numbers(reach.plans, now)
    readers, params = readers_sql(reach, people)
    params |= {
        "now": now,
        "target_plans": reach.plans,
        "own": [newest[plan][0] for plan in reach.plans],
        "open": [newest[plan][1] for plan in reach.plans],
        "latest": [now] * len(reach.plans),
    }
    return run(
        f"WITH {readers}, {_TARGET} UPDATE digests_watermark t"  # noqa: S608 - our own constants
        " SET number = g.open_number, told_at = %(now)s,"
        " reading_class = CASE r.reading WHEN 1 THEN 'inside' ELSE 'outside' END"
        " FROM readers r JOIN target g ON g.plan_id = r.plan_id"
        " WHERE t.reading_class = 'none' AND t.recipient_id = r.person_id AND t.plan_id = r.plan_id",
        params,
    )


_COUNT = """
INSERT INTO digests_watermark (recipient_id, plan_id, number, reading_class, told_at, slotted)
SELECT DISTINCT ON (f.person_id, f.plan_id) f.person_id, f.plan_id, g.open_number,
       CASE r.reading WHEN 1 THEN 'inside' WHEN 2 THEN 'outside' ELSE 'none' END, %(now)s, false
  FROM digests_following f
  JOIN target g ON g.plan_id = f.plan_id
  LEFT JOIN readers r ON r.person_id = f.person_id AND r.plan_id = f.plan_id
 WHERE f.subscription_id = ANY(%(subscriptions)s) AND g.open_number > 0
 ORDER BY f.person_id, f.plan_id
ON CONFLICT (recipient_id, plan_id) DO UPDATE
   SET number = GREATEST(digests_watermark.number, EXCLUDED.number), reading_class = EXCLUDED.reading_class,
       told_at = EXCLUDED.told_at
 WHERE NOT EXISTS (
       SELECT 1 FROM digests_following o
        WHERE o.person_id = EXCLUDED.recipient_id AND o.plan_id = EXCLUDED.plan_id
          AND o.subscription_id <> ALL(%(subscriptions)s))
"""


def start_watermarks(*, subscriptions: Sequence[int], now: dt.datetime) -> int:
    """Start new subscriptions at the present versions of all plans they cover.

    Changes that already wait because of another subscription keep waiting. Plans that join later have no watermark and
    are announced as new.
    """
    covered = Following.objects.filter(subscription__in=subscriptions).order_by()
    plans = sorted(set(covered.values_list("plan_id", flat=True)))
    people = sorted(set(covered.values_list("person_id", flat=True)))
    if not plans:
        return 0
    newest = newest_numbers(plans, now)
    readers, params = readers_sql(reach_of(plans, now), people)
    params |= {
        "now": now,
        "subscriptions": list(subscriptions),
        "target_plans": plans,
        "own": [newest[plan][0] for plan in plans],
        "open": [newest[plan][1] for plan in plans],
        "latest": [now] * len(plans),
    }
    return run(f"WITH {readers}, {_TARGET} {_COUNT}", params)


def reschedule(*, people: Sequence[int], now: dt.datetime) -> None:
    """Work out again when everything that waits for these people is due."""
    rows = Watermark.objects.filter(recipient__in=people, due_at__isnull=False)
    latest = dict(
        Publication.objects.filter(plan__in=rows.values("plan"))
        .values("plan")
        .annotate(at=Max("published_at"))
        .values_list("plan", "at")
    )
    plans = {plan: latest.get(plan, now) for plan in rows.values_list("plan", flat=True)}
    rows.update(due_at=None, slotted=False)
    if plans:
        mark_waiting(plans, now=now, people=people)


def catch_up(*, people: Sequence[int], now: dt.datetime) -> None:
    """Mark everything these people have missed as waiting."""
    behind = Watermark.objects.filter(recipient__in=people, plan__current_number__gt=F("number"))
    plans = {plan: at or now for plan, at in behind.values_list("plan", "plan__last_published_at")}
    if plans:
        mark_waiting(plans, now=now, people=people)


def drop_unfollowed(people: Iterable[int]) -> None:
    """Clear what waits for people who no longer follow it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE digests_watermark t SET due_at = NULL, waiting_since = NULL, slotted = false"
            " WHERE t.recipient_id = ANY(%s) AND t.due_at IS NOT NULL AND NOT EXISTS ("
            "SELECT 1 FROM digests_following f WHERE f.person_id = t.recipient_id AND f.plan_id = t.plan_id)",
            [list(people)],
        )
