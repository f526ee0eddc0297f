"""Moves watermarks of subjects, and sets when the changes that wait for each follower are due.

As in `watermarks`, each function runs statements for sets of followers. Callers must open the transaction and call
`lock_planning` first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from partnerships.activity.follower_notices import notices_by_kind
from partnerships.digests.models import SubjectNews, SubjectWatermark
from partnerships.digests.planning.timing import (
    DUE_IN_SLOT,
    SLOT,
    lock_planning,
    rhythms_of,
    run,
    settle_time,
    slot_columns,
)
from partnerships.digests.planning.together import join_waiting, paused, send_together
from partnerships.digests.schedule import MAX_SETTLING
from partnerships.kit.database import rows_of

#: How many changes are spread to followers in one transaction.
_MAX_CHANGES = 2_000

#: Starts new subscriptions at the present number. A watermark that another subscription already has is not changed.
_START = """
INSERT INTO digests_subjectwatermark (recipient_id, subject_id, number, told_at, slotted)
SELECT DISTINCT f.person_id, f.subject_id, x.last_number, %(now)s::timestamptz, false
  FROM digests_subjectfollowing f
  JOIN activity_subject x ON x.id = f.subject_id
 WHERE f.subscription_id = ANY(%(subscriptions)s)
ON CONFLICT (recipient_id, subject_id) DO UPDATE
   SET number = GREATEST(digests_subjectwatermark.number, EXCLUDED.number), told_at = EXCLUDED.told_at
 WHERE NOT EXISTS (
       SELECT 1 FROM digests_subjectfollowing o
        WHERE o.person_id = EXCLUDED.recipient_id AND o.subject_id = EXCLUDED.subject_id
          AND o.subscription_id <> ALL(%(subscriptions)s))
"""

#: Creates missing watermarks at the present number. They are missing if a followed organisation joined a partnership.
_CREATE_MISSING = """
INSERT INTO digests_subjectwatermark (recipient_id, subject_id, number, told_at, slotted)
SELECT DISTINCT f.person_id, f.subject_id, x.last_number, %(now)s::timestamptz, false
  FROM digests_subjectfollowing f
  JOIN activity_subject x ON x.id = f.subject_id
 WHERE f.subject_id = ANY(%(subjects)s)
   AND NOT EXISTS (SELECT 1 FROM digests_subjectwatermark k
                    WHERE k.recipient_id = f.person_id AND k.subject_id = f.subject_id)
ON CONFLICT DO NOTHING
"""

#: Moves the watermarks of people who made every change since their last digest: they need no digest.
_SKIP_AUTHORS = """
UPDATE digests_subjectwatermark t SET number = x.last_number, due_at = NULL, waiting_since = NULL, slotted = false
  FROM activity_subject x
 WHERE x.id = ANY(%(subjects)s) AND t.subject_id = x.id AND t.number < x.last_number
   AND t.recipient_id IN (
       SELECT e.actor_id FROM activity_change c JOIN activity_event e ON e.id = c.event_id
        WHERE c.subject_id = x.id AND c.number = x.last_number)
   AND NOT EXISTS (
       SELECT 1 FROM activity_change c JOIN activity_event e ON e.id = c.event_id
        WHERE c.subject_id = t.subject_id AND c.number > t.number AND e.actor_id IS DISTINCT FROM t.recipient_id)
"""

#: Moves watermarks past changes that no section reports: kinds that are never reported, and new versions, which the
#: news of plans reports.
_SKIP_UNREPORTED = """
WITH newest AS MATERIALIZED (
    SELECT x.id, x.last_number, COALESCE((
           SELECT c.number FROM activity_change c JOIN activity_event e ON e.id = c.event_id
            WHERE c.subject_id = x.id AND e.kind = ANY(%(told)s) ORDER BY c.number DESC LIMIT 1), 0) AS told
      FROM activity_subject x WHERE x.id = ANY(%(subjects)s)
),
passing AS (
    SELECT t.id, n.last_number
      FROM newest n
      JOIN digests_subjectwatermark t ON t.subject_id = n.id AND t.number >= n.told AND t.number < n.last_number
     ORDER BY t.recipient_id, t.subject_id
       FOR UPDATE OF t
)
UPDATE digests_subjectwatermark t SET number = p.last_number, due_at = NULL, waiting_since = NULL, slotted = false
  FROM passing p WHERE t.id = p.id
"""

#: Sets when the changes are due. As for plans, the closest subscription with a frequency of its own decides. If there
#: is none, the person's own frequency applies.
_SET_DUE = f"""
WITH followed AS MATERIALIZED (
    SELECT DISTINCT ON (person_id, subject_id) person_id, subject_id, NULLIF(frequency, '') AS frequency
      FROM digests_subjectfollowing WHERE subject_id = ANY(%(subjects)s) {{people}}
     ORDER BY person_id, subject_id, frequency = '', rank, subscription_id
),
{SLOT},
wanted AS (
    SELECT t.id, COALESCE(f.frequency, p.frequency, 'at_once') AS frequency, COALESCE(p.hour, 8) AS hour,
           COALESCE(p.weekday, 0) AS weekday, COALESCE(p.working_days_of, '') AS working_days_of,
           u.time_zone AS zone, COALESCE(p.paused_until, '-infinity') AS paused_until,
           COALESCE(p.days, 127) AS days, COALESCE(p.paused_from, '-infinity') AS paused_from
      FROM digests_subjectwatermark t
      JOIN followed f ON f.person_id = t.recipient_id AND f.subject_id = t.subject_id
      JOIN activity_subject x ON x.id = t.subject_id AND x.last_number > t.number
      JOIN people_user u ON u.id = t.recipient_id AND u.is_active
      LEFT JOIN digests_preference p ON p.person_id = t.recipient_id
     ORDER BY t.recipient_id, t.subject_id
       FOR UPDATE OF t
)
UPDATE digests_subjectwatermark t
   SET waiting_since = COALESCE(t.waiting_since, %(now)s),
       due_at = CASE
           WHEN s.direct THEN LEAST(%(now)s + %(settle)s, COALESCE(t.waiting_since, %(now)s) + %(limit)s)
           {DUE_IN_SLOT}
"""  # noqa: S608 - our own constant

#: Takes the oldest changes from the queue.
_TAKE_NEWS = """
DELETE FROM digests_subjectnews WHERE id IN (
    SELECT id FROM digests_subjectnews ORDER BY id LIMIT %(limit)s)
RETURNING subject_id
"""

#: Creates the rows of subjects when a person begins to follow them, so that their first change is reported too.
_CREATE_SUBJECTS = """
INSERT INTO activity_subject (kind, record_id, last_number)
SELECT kind, record_id, 0 FROM (
    SELECT unnest(ARRAY['plan', 'partnership', 'organisation', 'entry', 'commitment', 'recommendation']) AS kind,
           unnest(ARRAY[
               plan_id, partnership_id, organisation_id, request_id, commitment_id, recommendation_id]) AS record_id
      FROM digests_subscription WHERE id = ANY(%(subscriptions)s)
    UNION
    SELECT 'partnership', a.partnership_id
      FROM digests_subscription s
      JOIN agreements_party a ON a.organisation_id = s.organisation_id AND a.status = 'accepted'
     WHERE s.id = ANY(%(subscriptions)s)) followed
 WHERE record_id IS NOT NULL
 ORDER BY kind, record_id
ON CONFLICT DO NOTHING
"""


def start_watermarks(*, subscriptions: Sequence[int], now: dt.datetime) -> None:
    """Start new subscriptions at the present number of every subject that they cover.

    Changes that already wait because of another subscription continue to wait.
    """
    params = {"subscriptions": list(subscriptions), "now": now}
    run(_CREATE_SUBJECTS, params)
    run(_START, params)


def spread_changes(*, now: dt.datetime) -> int:
    """Mark the followers of subjects that changed as waiting, and return how many subjects changed."""
    if not SubjectNews.objects.exists():
        return 0
    with transaction.atomic():
        lock_planning()
        # For many followers, PostgreSQL would compile the statement, which takes longer than running it.
        run("SET LOCAL jit = off", {})
        changed_ids = sorted({subject_id for (subject_id,) in rows_of(_TAKE_NEWS, {"limit": _MAX_CHANGES})})
        if changed_ids:
            mark_waiting(changed_ids, now=now)
    return len(changed_ids)


def mark_waiting(subjects: Sequence[int], *, now: dt.datetime, people: Sequence[int] | None = None) -> None:
    """Mark the followers of these subjects as waiting for the changes; with `people`, only these followers."""
    params = {
        "subjects": list(subjects),
        "now": now,
        "people": list(people or ()),
        "settle": settle_time(),
        "limit": MAX_SETTLING * settle_time(),
    }
    run(_CREATE_MISSING, params)
    run(_SKIP_AUTHORS, params)
    run(_SKIP_UNREPORTED, params | {"told": [kind.kind for kind in notices_by_kind() if not kind.is_in_plan_digests]})
    params |= slot_columns(rhythms_of("digests_subjectfollowing", "subject_id", subjects), now)
    run(_SET_DUE.format(people="" if people is None else "AND person_id = ANY(%(people)s)"), params)
    send_together(subjects=subjects, now=now)
    join_waiting(person_ids=paused(now))


def clear_due(*, person_ids: Sequence[int]) -> list[int]:
    """Clear when changes are due for these people, and return the ids of the subjects to mark again."""
    waiting_watermarks = SubjectWatermark.objects.filter(recipient__in=person_ids, due_at__isnull=False)
    subject_ids = sorted(set(waiting_watermarks.values_list("subject", flat=True)))
    waiting_watermarks.update(due_at=None, slotted=False)
    return subject_ids


def catch_up(*, people: Sequence[int], now: dt.datetime) -> None:
    """Mark every change that these people have missed as waiting."""
    watermarks_behind = SubjectWatermark.objects.filter(recipient__in=people, subject__last_number__gt=F("number"))
    subject_ids = sorted(set(watermarks_behind.values_list("subject", flat=True)))
    if subject_ids:
        mark_waiting(subject_ids, now=now, people=people)
