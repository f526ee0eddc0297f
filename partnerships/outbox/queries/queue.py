"""Metrics of the queue, for administrators of the server and for workers that monitor themselves.

None of the queries reads more than the open emails.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from partnerships.outbox.models import EmailReason, Lane

#: Counts stop at this number, because a larger number would be no more useful to an administrator.
MAX_COUNT = 100_000

_OPEN = """
SELECT lane, status, count(*), min(created_at) FILTER (WHERE reason <> ''), count(*) FILTER (WHERE in_doubt) FROM (
    SELECT lane, status, created_at, reason, in_doubt FROM outbox_email
     WHERE status IN ('queued', 'sending') LIMIT %s) e
 GROUP BY lane, status
"""
# This needs one read at the start of the index for each lane.
_OLDEST = """
SELECT lane.number, (
    SELECT e.available_at FROM outbox_email e
     WHERE e.status IN ('queued', 'sending') AND e.lane = lane.number
     ORDER BY e.lane, e.available_at, e.id LIMIT 1)
  FROM unnest(%s::int[]) AS lane(number)
"""
# Selects two times that change while senders work, and then three counts. The first time is when the newest email was
# settled. The second is when the newest lease ends, because leases are renewed while a mail server is slow. Queued
# emails are left out, because the time of an email that waits until tomorrow would be later than all leases.
_SIGNS_OF_LIFE = """
SELECT (SELECT max(settled_at) FROM outbox_email WHERE settled_at > statement_timestamp() - interval '1 hour'),
       (SELECT max(last.available_at) FROM unnest(ARRAY[0, 1, 2]) AS lane(number), LATERAL (
            SELECT e.available_at FROM outbox_email e
             WHERE e.status IN ('queued', 'sending') AND e.status = 'sending' AND e.lane = lane.number
               AND e.available_at > statement_timestamp()
               AND e.available_at <= statement_timestamp() + %(lease_seconds)s * interval '1 second'
             ORDER BY e.lane DESC, e.available_at DESC, e.id DESC LIMIT 1) last),
       (SELECT count(*) FROM outbox_email
         WHERE reason_code = %(not_composed)s AND status IN ('queued', 'sending'))
     + (SELECT count(*) FROM outbox_email
         WHERE reason_code = %(not_composed)s AND status = 'failed' AND settled_at > %(a_day_ago)s),
       (SELECT count(*) FROM (SELECT 1 FROM outbox_suppression WHERE released_at IS NULL LIMIT %(limit)s) suppressed),
       outbox_months_ready(%(now)s)
"""


def oldest_due() -> dict[Lane, dt.datetime]:
    """Return when the oldest due email of each lane became due. Lanes without a due email are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [[lane.value for lane in Lane]])
        rows = cursor.fetchall()
    now = timezone.now()
    return {Lane(lane): moment for lane, moment in rows if moment is not None and moment <= now}


def queue_figures() -> dict[str, Any]:
    """Return the metrics of the queue, by name. Counts stop at 100,000.

    * `queued`, `sending` and `by_lane` are the numbers of open emails.
    * `oldest_due_seconds` and `oldest_by_lane_seconds` are how long the oldest due email has been due. With
      EMAILS_HELD, only account emails are due.
    * `oldest_tried_by_lane_seconds` is the age of the oldest email that has failed at least once and will be tried
      again. Between attempts, it is not due.
    * `in_doubt` is the number of open emails that may have arrived.
    * `not_composed` is the number of emails that could not be composed and will be tried again, or that failed within
      a day.
    * `suppressed_addresses` is the number of addresses that get no notices and digests.
    * `months_ready` is the number of months after this one that have a partition.
    * `last_settled` and `lease_until` are two times that change while senders work.
    """
    now = timezone.now()
    counts = {"queued": 0, "sending": 0}
    open_by_lane = dict.fromkeys((lane.name.lower() for lane in Lane), 0)
    tried_age_by_lane = open_by_lane.copy()
    in_doubt = 0
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [MAX_COUNT])
        for lane_number, status, count, oldest_tried_at, doubtful_count in cursor.fetchall():
            lane = Lane(lane_number).name.lower()
            counts[status] += count
            in_doubt += doubtful_count
            open_by_lane[lane] += count
            tried_age_by_lane[lane] = max(tried_age_by_lane[lane], _age(oldest_tried_at, now))
        cursor.execute(
            _SIGNS_OF_LIFE,
            {
                "lease_seconds": settings.EMAIL_LEASE_SECONDS,
                "not_composed": EmailReason.NOT_COMPOSED,
                "a_day_ago": now - dt.timedelta(days=1),
                "limit": MAX_COUNT,
                "now": now,
            },
        )
        last_settled, lease_until, not_composed, suppressed_addresses, months_ready = cursor.fetchone()

    due_since = oldest_due()
    due_age_by_lane = {lane.name.lower(): _age(due_since.get(lane), now) for lane in Lane}
    if settings.EMAILS_HELD:
        due_age_by_lane = dict.fromkeys(due_age_by_lane, 0) | {"account": due_age_by_lane["account"]}

    return {
        **counts,
        "by_lane": open_by_lane,
        "oldest_due_seconds": max(due_age_by_lane.values()),
        "oldest_by_lane_seconds": due_age_by_lane,
        "oldest_tried_by_lane_seconds": tried_age_by_lane,
        "in_doubt": in_doubt,
        "not_composed": not_composed,
        "suppressed_addresses": suppressed_addresses,
        "months_ready": months_ready,
        "last_settled": last_settled.isoformat() if last_settled else "",
        "lease_until": lease_until.isoformat() if lease_until else "",
    }


def _age(moment: dt.datetime | None, now: dt.datetime) -> int:
    """Return the seconds since a time, or 0 for None."""
    if moment is None:
        return 0
    return max(int((now - moment).total_seconds()), 0)
