"""Makes all news and matches that wait for a person due at the same time, so that one email contains them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from partnerships.digests.planning.timing import run, settle_time
from partnerships.digests.schedule import MAX_SETTLING

#: Delays all news that a person gets "at once" until the last change has settled.
_DELAY_UNTIL_SETTLED = """
WITH concerned AS (
    SELECT recipient_id FROM digests_watermark WHERE plan_id = ANY(%(plans)s) AND due_at IS NOT NULL
    UNION
    SELECT recipient_id FROM digests_subjectwatermark WHERE subject_id = ANY(%(subjects)s) AND due_at IS NOT NULL
),
waiting AS (
    SELECT recipient_id, due_at, waiting_since FROM digests_watermark
     WHERE due_at > %(now)s AND NOT slotted AND recipient_id IN (SELECT recipient_id FROM concerned)
    UNION ALL
    SELECT recipient_id, due_at, waiting_since FROM digests_subjectwatermark
     WHERE due_at > %(now)s AND NOT slotted AND recipient_id IN (SELECT recipient_id FROM concerned)
),
together AS (
    SELECT recipient_id, LEAST(max(due_at), min(waiting_since) + %(limit)s) AS due_at
      FROM waiting GROUP BY recipient_id HAVING count(*) > 1
),
subjects AS (
    UPDATE digests_subjectwatermark t SET due_at = together.due_at FROM together
     WHERE t.recipient_id = together.recipient_id AND t.due_at > %(now)s AND NOT t.slotted
       AND t.due_at <> together.due_at
)
UPDATE digests_watermark t SET due_at = together.due_at FROM together
 WHERE t.recipient_id = together.recipient_id AND t.due_at > %(now)s AND NOT t.slotted AND t.due_at <> together.due_at
"""

#: Selects the people whose pause has begun and not ended, by their own calendar. The first condition uses the index.
_PAUSED = """
SELECT p.person_id FROM digests_preference p JOIN people_user u ON u.id = p.person_id
 WHERE p.paused_until >= %s::date AND p.paused_until > (%s AT TIME ZONE u.time_zone)::date
   AND COALESCE(p.paused_from, '-infinity') <= (%s AT TIME ZONE u.time_zone)::date
"""

#: Gives everything that waits for a person, including matches, the earliest of its due times.
_JOIN = """
WITH waiting AS (
    SELECT recipient_id, due_at, slotted FROM digests_watermark
     WHERE recipient_id = ANY(%(people)s) AND due_at IS NOT NULL
    UNION ALL
    SELECT recipient_id, due_at, slotted FROM digests_subjectwatermark
     WHERE recipient_id = ANY(%(people)s) AND due_at IS NOT NULL
    UNION ALL
    SELECT recipient_id, due_at, slotted FROM digests_matchnotice
     WHERE recipient_id = ANY(%(people)s) AND due_at IS NOT NULL AND told_at IS NULL
),
first AS (SELECT DISTINCT ON (recipient_id) * FROM waiting ORDER BY recipient_id, due_at, slotted),
matches AS (
    UPDATE digests_matchnotice m SET due_at = first.due_at, slotted = first.slotted FROM first
     WHERE m.recipient_id = first.recipient_id AND m.due_at <> first.due_at AND m.told_at IS NULL
),
subjects AS (
    UPDATE digests_subjectwatermark t SET due_at = first.due_at, slotted = first.slotted FROM first
     WHERE t.recipient_id = first.recipient_id AND t.due_at <> first.due_at
)
UPDATE digests_watermark t SET due_at = first.due_at, slotted = first.slotted FROM first
 WHERE t.recipient_id = first.recipient_id AND t.due_at <> first.due_at
"""


def send_together(*, plan_ids: Sequence[int] = (), subjects: Sequence[int] = (), now: dt.datetime) -> None:
    """Delay news that followers get "at once" until the last of these plans and subjects has settled.

    One email then contains all of their changes. The delay has a limit, because a plan that changes all day must not
    hold back the other news.
    """
    if settings.DIGEST_SETTLE_MINUTES:
        limit = MAX_SETTLING * settle_time()
        run(_DELAY_UNTIL_SETTLED, {"plans": list(plan_ids), "subjects": list(subjects), "now": now, "limit": limit})


def join_waiting(*, person_ids: Sequence[int]) -> None:
    """Set the due time of all news for each person to the earliest of its due times.

    A pause then ends with a single email, even if the person chose several frequencies.
    """
    if person_ids:
        run(_JOIN, {"people": list(person_ids)})


def paused(now: dt.datetime) -> list[int]:
    """Return the ids of the people whose pause has begun and not ended."""
    yesterday = now - dt.timedelta(days=1)  # the local date is never earlier, in any time zone
    with connection.cursor() as cursor:
        cursor.execute(_PAUSED, [yesterday, now, now])
        return [person for (person,) in cursor.fetchall()]
