"""Watermarks: what each follower last received, and what is due when.

Everything here is a statement over sets of followers. Callers open the transaction and take `lock_planning` before they
lock any row: its holder waits for rows, so a transaction that holds rows must not wait for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from django.db.models import F, Max

from partnerships.digests.models import Following, Publication, Watermark
from partnerships.digests.planning import subjects
from partnerships.digests.planning.timing import DUE_IN_SLOT, SLOT, rhythms_of, run, settle_time, slot_columns
from partnerships.digests.planning.together import join_waiting, paused, send_together
from partnerships.digests.queries.readers import PlanReach, newest_numbers, reach_of, readers_sql
from partnerships.digests.schedule import AT_ONCE, MAX_SETTLING
from partnerships.kit.database import rows_of

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
# An embargo that was lifted cannot wait: people with an account hear at once.
_RHYTHM = """
SELECT t.id, t.recipient_id,
       CASE WHEN t.plan_id = ANY(%(lifted)s) AND u.account_since IS NOT NULL THEN 'at_once'
            ELSE COALESCE(o.frequency, p.frequency, 'at_once') END AS frequency,
       COALESCE(p.hour, 8) AS hour, COALESCE(p.weekday, 0) AS weekday,
       COALESCE(p.working_days_of, '') AS working_days_of, u.time_zone AS zone,
       COALESCE(p.paused_until, '-infinity') AS paused_until, COALESCE(p.days, 127) AS days,
       COALESCE(p.paused_from, '-infinity') AS paused_from, g.latest
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

_WAIT = f"""
UPDATE digests_watermark t
   SET waiting_since = COALESCE(t.waiting_since, %(now)s),
       due_at = CASE
           WHEN s.direct THEN LEAST(GREATEST(w.latest, COALESCE(t.waiting_since, w.latest)) + %(settle)s,
                                    COALESCE(t.waiting_since, w.latest) + %(limit)s)
           {DUE_IN_SLOT}
"""  # noqa: S608 - our own constant


def mark_waiting(
    latest: dict[int, dt.datetime],
    *,
    now: dt.datetime,
    people: Sequence[int] | None = None,
    lifted: Collection[int] = (),
) -> None:
    """Mark followers of these plans as waiting for their new versions.

    `latest` maps plans to the time of their last change. With `people`, only those are rescheduled. `lifted` are plans
    whose embargo has just ended.
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
    rhythms = rhythms_of("digests_following", "plan_id", plans)
    urgent = [replace(rhythm, frequency=AT_ONCE) for rhythm in rhythms] if lifted else []
    params |= slot_columns({*rhythms, *urgent}, now) | {"lifted": list(lifted)}
    run(f"WITH {readers}, {_TARGET}, {SLOT}, {_OWN_FREQUENCY}, wanted AS ({_RHYTHM}) {_WAIT}", params)
    send_together(plans=plans, now=now)
    join_waiting(people=paused(now))


#: Watermarks of people who could not read a plan and now can: they start at its present version.
_ADMIT = """
UPDATE digests_watermark t
   SET number = g.open_number, told_at = %(now)s,
       reading_class = CASE r.reading WHEN 1 THEN 'inside' ELSE 'outside' END
  FROM readers r
  JOIN target g ON g.plan_id = r.plan_id
 WHERE t.reading_class = 'none' AND t.recipient_id = r.person_id AND t.plan_id = r.plan_id
"""


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
    return run(f"WITH {readers}, {_TARGET} {_ADMIT}", params)


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
    subjects.start_watermarks(subscriptions=subscriptions, now=now)
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
    # Cleared before plans are marked: what waits for a pause is joined at the earliest time, which must be a new one.
    changed = subjects.clear_due(people=people)
    if plans:
        mark_waiting(plans, now=now, people=people)
    if changed:
        subjects.mark_waiting(changed, now=now, people=people)


def catch_up(*, people: Sequence[int], now: dt.datetime) -> None:
    """Mark everything these people have missed as waiting."""
    behind = Watermark.objects.filter(recipient__in=people, plan__current_number__gt=F("number"))
    plans = {plan: at or now for plan, at in behind.values_list("plan", "plan__last_published_at")}
    if plans:
        mark_waiting(plans, now=now, people=people)
    subjects.catch_up(people=people, now=now)


_UNFOLLOWED = """
UPDATE {table} t SET due_at = NULL, waiting_since = NULL, slotted = false
 WHERE t.recipient_id = ANY(%(people)s) AND t.due_at IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM {view} f WHERE f.person_id = t.recipient_id AND f.{column} = t.{column})
"""


def drop_unfollowed(people: Iterable[int]) -> None:
    """Clear what waits for people who no longer follow it."""
    params = {"people": list(people)}
    run(_UNFOLLOWED.format(table="digests_watermark", view="digests_following", column="plan_id"), params)
    tables = {"table": "digests_subjectwatermark", "view": "digests_subjectfollowing", "column": "subject_id"}
    run(_UNFOLLOWED.format(**tables), params)
