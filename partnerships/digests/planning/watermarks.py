"""Moves watermarks of plans, and sets when the news that waits for each follower is due.

Each function runs statements for sets of followers. Callers open the transaction and take `lock_planning` before they
lock any row. The transaction that has this lock waits for rows, so one that has locked rows must not wait for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import F, Max

from partnerships.digests.models import Following, Publication, Watermark
from partnerships.digests.planning import subjects
from partnerships.digests.planning.timing import DUE_IN_SLOT, SLOT, rhythms_of, run, settle_time, slot_columns
from partnerships.digests.planning.together import join_waiting, paused, send_together
from partnerships.digests.queries.readers import PlanReach, newest_numbers, reach_of, readers_sql
from partnerships.digests.schedule import AT_ONCE, MAX_SETTLING
from partnerships.kit.database import rows_of

#: The plans of a call, each with the newest version that owners may read, the newest that everybody else may read, and
#: the time of the last change.
_TARGET = """
target(plan_id, own_number, open_number, latest) AS (
    SELECT * FROM unnest(%(target_plans)s::bigint[], %(own)s::int[], %(open)s::int[], %(latest)s::timestamptz[])
)
"""

#: These two select a row if any follower has no watermark, and if any watermark is unreadable. Usually neither is so,
#: and checking is cheaper than working out the rights of all followers.
_HAS_NEW_FOLLOWER = """
SELECT 1 FROM digests_following f
 WHERE f.plan_id = ANY(%(target_plans)s)
   AND NOT EXISTS (SELECT 1 FROM digests_watermark t WHERE t.recipient_id = f.person_id AND t.plan_id = f.plan_id)
 LIMIT 1
"""
_HAS_UNREADABLE = (
    "SELECT 1 FROM digests_watermark t WHERE t.reading_class = 'none' AND t.plan_id = ANY(%(target_plans)s) LIMIT 1"
)

#: Creates missing watermarks. If the follower may read the plan, the number is 0, because the plan is new to them. If
#: not, the watermark starts at the present version, with the reading class "none".
_CREATE_MISSING = """
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

#: Moves the watermarks of people who published every version since their last digest, because they need no digest.
_SKIP_AUTHORS = """
UPDATE digests_watermark t SET number = p.current_number, due_at = NULL, waiting_since = NULL
  FROM plans_plan p
 WHERE p.id = ANY(%(target_plans)s) AND t.plan_id = p.id AND t.number < p.current_number
   AND t.recipient_id IN (
       SELECT v.author_id FROM plans_version v WHERE v.plan_id = p.id AND v.number = p.current_number)
   AND NOT EXISTS (
       SELECT 1 FROM plans_version v
        WHERE v.plan_id = t.plan_id AND v.number > t.number AND v.author_id IS DISTINCT FROM t.recipient_id)
"""

#: Selects the rhythm of each follower who may read a newer version. The frequency is the closest subscription's, if any
#: has one, otherwise the person's, otherwise the default of `models.Preference`. When an embargo ends, people with an
#: account get the version at once. Watermarks are locked in the same order everywhere, to prevent deadlocks.
_RHYTHMS = """
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

#: For each follower and plan, the frequency of the closest subscription that has its own frequency.
_OWN_FREQUENCY = """
own_frequency AS (
    SELECT DISTINCT ON (person_id, plan_id) person_id, plan_id, frequency FROM digests_following
     WHERE plan_id = ANY(%(plans)s) AND frequency <> '' ORDER BY person_id, plan_id, rank, subscription_id
)
"""

#: Sets when these watermarks are due. "At once" means once the plan has not changed for the settle time.
_SET_DUE = f"""
UPDATE digests_watermark t
   SET waiting_since = COALESCE(t.waiting_since, %(now)s),
       due_at = CASE
           WHEN s.direct THEN LEAST(GREATEST(w.latest, COALESCE(t.waiting_since, w.latest)) + %(settle)s,
                                    COALESCE(t.waiting_since, w.latest) + %(limit)s)
           {DUE_IN_SLOT}
"""  # noqa: S608 - our own constant


def mark_waiting(
    changed_at_by_plan: dict[int, dt.datetime],
    *,
    now: dt.datetime,
    people: Sequence[int] | None = None,
    lifted: Collection[int] = (),
) -> None:
    """Mark the followers of these plans as waiting for the new versions.

    `changed_at_by_plan` has the time of the last change of each plan. With `people`, only these followers are marked.
    `lifted` are the plans whose embargo has just ended.
    """
    plan_ids = sorted(changed_at_by_plan)
    newest_by_plan = newest_numbers(plan_ids, now)
    reach = reach_of(plan_ids, now)
    readers, params = readers_sql(reach, people)
    params |= _target_params(newest_by_plan, changed_at_by_plan, now)
    params |= {"settle": settle_time(), "limit": MAX_SETTLING * settle_time()}
    if rows_of(_HAS_NEW_FOLLOWER, params):
        run(f"WITH {readers}, {_TARGET} {_CREATE_MISSING}", params)
    if rows_of(_HAS_UNREADABLE, params):
        admit(reach, now=now, person_ids=people)
    run(_SKIP_AUTHORS, params)

    rhythms = rhythms_of("digests_following", "plan_id", plan_ids)
    urgent_rhythms = [replace(rhythm, frequency=AT_ONCE) for rhythm in rhythms] if lifted else []
    params |= slot_columns({*rhythms, *urgent_rhythms}, now) | {"lifted": list(lifted)}
    run(f"WITH {readers}, {_TARGET}, {SLOT}, {_OWN_FREQUENCY}, wanted AS ({_RHYTHMS}) {_SET_DUE}", params)
    send_together(plan_ids=plan_ids, now=now)
    join_waiting(person_ids=paused(now))


def _target_params(
    newest_by_plan: Mapping[int, tuple[int, int]], changed_at_by_plan: Mapping[int, dt.datetime], now: dt.datetime
) -> dict[str, Any]:
    """Return the parameters of `_TARGET` for these plans, and `now`."""
    plan_ids = sorted(changed_at_by_plan)
    return {
        "now": now,
        "target_plans": plan_ids,
        "own": [newest_by_plan[plan_id][0] for plan_id in plan_ids],
        "open": [newest_by_plan[plan_id][1] for plan_id in plan_ids],
        "latest": [changed_at_by_plan[plan_id] for plan_id in plan_ids],
    }


#: Moves people who could not read a plan and now can to its present version, because they get no news of earlier ones.
_ADMIT = """
UPDATE digests_watermark t
   SET number = g.open_number, told_at = %(now)s,
       reading_class = CASE r.reading WHEN 1 THEN 'inside' ELSE 'outside' END
  FROM readers r
  JOIN target g ON g.plan_id = r.plan_id
 WHERE t.reading_class = 'none' AND t.recipient_id = r.person_id AND t.plan_id = r.plan_id
"""


def admit(reach: PlanReach, *, now: dt.datetime, person_ids: Sequence[int] | None = None) -> int:
    """Move people who gained access to these plans to the present version, and return how many."""
    readers, params = readers_sql(reach, person_ids)
    params |= _target_params(newest_numbers(reach.plans, now), dict.fromkeys(reach.plans, now), now)
    return run(f"WITH {readers}, {_TARGET} {_ADMIT}", params)


#: Starts new subscriptions at the present version. A watermark that another subscription already has is not changed.
_START = """
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
    """Start new subscriptions at the present versions of all their plans, and return the number of watermarks.

    Changes that wait because of another subscription continue to wait. A plan that is added to the partnership or
    organisation later has no watermark, so it is announced as new.
    """
    followings = Following.objects.filter(subscription__in=subscriptions).order_by()
    plan_ids = sorted(set(followings.values_list("plan_id", flat=True)))
    person_ids = sorted(set(followings.values_list("person_id", flat=True)))
    subjects.start_watermarks(subscriptions=subscriptions, now=now)
    if not plan_ids:
        return 0
    readers, params = readers_sql(reach_of(plan_ids, now), person_ids)
    params |= _target_params(newest_numbers(plan_ids, now), dict.fromkeys(plan_ids, now), now)
    params["subscriptions"] = list(subscriptions)
    return run(f"WITH {readers}, {_TARGET} {_START}", params)


def reschedule(*, person_ids: Sequence[int], now: dt.datetime) -> None:
    """Work out again when the news that waits for these people is due, for example after they changed the frequency."""
    waiting_watermarks = Watermark.objects.filter(recipient__in=person_ids, due_at__isnull=False)
    publications = Publication.objects.filter(plan__in=waiting_watermarks.values("plan"))
    newest_publications = publications.values("plan").annotate(at=Max("published_at"))
    published_at = dict(newest_publications.values_list("plan", "at"))
    changed_at_by_plan = {
        plan_id: published_at.get(plan_id, now) for plan_id in waiting_watermarks.values_list("plan", flat=True)
    }
    waiting_watermarks.update(due_at=None, slotted=False)
    # Marking gives all news of a paused person the earliest due time that is set. So clear the old due times of plans
    # and subjects before marking either.
    subject_ids = subjects.clear_due(person_ids=person_ids)
    if changed_at_by_plan:
        mark_waiting(changed_at_by_plan, now=now, people=person_ids)
    if subject_ids:
        subjects.mark_waiting(subject_ids, now=now, people=person_ids)


def catch_up(*, people: Sequence[int], now: dt.datetime) -> None:
    """Mark all news that these people have missed as waiting."""
    watermarks_behind = Watermark.objects.filter(recipient__in=people, plan__current_number__gt=F("number"))
    changed_at_by_plan = {
        plan_id: at or now for plan_id, at in watermarks_behind.values_list("plan", "plan__last_published_at")
    }
    if changed_at_by_plan:
        mark_waiting(changed_at_by_plan, now=now, people=people)
    subjects.catch_up(people=people, now=now)


#: Clears the due times of watermarks whose person no longer follows the plan or subject.
_CLEAR_UNFOLLOWED = """
UPDATE {table} t SET due_at = NULL, waiting_since = NULL, slotted = false
 WHERE t.recipient_id = ANY(%(people)s) AND t.due_at IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM {view} f WHERE f.person_id = t.recipient_id AND f.{column} = t.{column})
"""


def drop_unfollowed(person_ids: Iterable[int]) -> None:
    """Clear the news that waits for these people about plans and subjects that they no longer follow."""
    params = {"people": list(person_ids)}
    plan_names = {"table": "digests_watermark", "view": "digests_following", "column": "plan_id"}
    subject_names = {"table": "digests_subjectwatermark", "view": "digests_subjectfollowing", "column": "subject_id"}
    for names in (plan_names, subject_names):
        run(_CLEAR_UNFOLLOWED.format(**names), params)
