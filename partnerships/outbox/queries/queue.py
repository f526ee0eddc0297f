"""Figures of the queue for operators and for workers that watch themselves.

None of them reads more than the open emails.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from partnerships.outbox.models import Email, EmailReason, Lane, Suppression
from partnerships.outbox.retention import months_ready

#: Counts stop here: operators only want to know whether it is many.
MAX_COUNT = 100_000

_OPEN = """
SELECT lane, status, count(*), min(created_at) FILTER (WHERE reason <> ''), count(*) FILTER (WHERE in_doubt) FROM (
    SELECT lane, status, created_at, reason, in_doubt FROM outbox_email
     WHERE status IN ('queued', 'sending') LIMIT %s) e
 GROUP BY lane, status
"""
# One read at the start of the index for each lane.
_OLDEST = """
SELECT lane.number, (
    SELECT e.available_at FROM outbox_email e
     WHERE e.status IN ('queued', 'sending') AND e.lane = lane.number
     ORDER BY e.lane, e.available_at, e.id LIMIT 1)
  FROM unnest(%s::int[]) AS lane(number)
"""
# Both change while senders work: the newest settled email, and the newest lease, which is renewed while a mail server
# is slow. Queued emails are left out: one that waits until tomorrow would hide the leases.
_SIGNS_OF_LIFE = """
SELECT (SELECT max(settled_at) FROM outbox_email WHERE settled_at > statement_timestamp() - interval '1 hour'),
       (SELECT max(last.available_at) FROM unnest(ARRAY[0, 1, 2]) AS lane(number), LATERAL (
            SELECT e.available_at FROM outbox_email e
             WHERE e.status IN ('queued', 'sending') AND e.status = 'sending' AND e.lane = lane.number
               AND e.available_at > statement_timestamp()
               AND e.available_at <= statement_timestamp() + %s * interval '1 second'
             ORDER BY e.lane DESC, e.available_at DESC, e.id DESC LIMIT 1) last)
"""


def oldest_due() -> dict[Lane, dt.datetime]:
    """When the oldest due email of each lane became due.

    Lanes without a due email are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [[lane.value for lane in Lane]])
        rows = cursor.fetchall()
    now = timezone.now()
    return {Lane(lane): moment for lane, moment in rows if moment is not None and moment <= now}


def queue_figures() -> dict[str, Any]:
    """Counts of queued and sending emails, and the age of the oldest due one, in all and by lane.

    Counts stop at 100,000. With EMAILS_HELD, only account emails are due. `oldest_tried_by_lane_seconds` is how long
    ago the oldest email was recorded that was tried in vain: between tries it is not due. `in_doubt` counts open
    emails that may have arrived already. `not_composed` counts emails that cannot be composed: those being retried, and
    those set aside within a day. `months_ready` is the number of later months that have partitions. `last_settled` and
    `lease_until` change while senders work.
    """
    counts = {"queued": 0, "sending": 0}
    by_lane = dict.fromkeys((lane.name.lower() for lane in Lane), 0)
    tried = by_lane.copy()
    in_doubt = 0
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [MAX_COUNT])
        for lane, status, count, recorded, doubtful in cursor.fetchall():
            counts[status] += count
            in_doubt += doubtful
            by_lane[Lane(lane).name.lower()] += count
            tried[Lane(lane).name.lower()] = max(tried[Lane(lane).name.lower()], _age(recorded, now))
        cursor.execute(_SIGNS_OF_LIFE, [settings.EMAIL_LEASE_SECONDS])
        last_settled, lease_until = cursor.fetchone()
    due = oldest_due()
    ages = {lane.name.lower(): _age(due.get(lane), now) for lane in Lane}
    if settings.EMAILS_HELD:
        ages = dict.fromkeys(ages, 0) | {"account": ages["account"]}
    unwritten = Email.objects.filter(reason_code=EmailReason.NOT_COMPOSED)  # few, with an index of their own
    not_composed = unwritten.open().count()
    not_composed += unwritten.filter(status="failed", settled_at__gt=now - dt.timedelta(days=1)).count()
    return {
        **counts,
        "by_lane": by_lane,
        "oldest_due_seconds": max(ages.values()),
        "oldest_by_lane_seconds": ages,
        "oldest_tried_by_lane_seconds": tried,
        "in_doubt": in_doubt,
        "not_composed": not_composed,
        "suppressed_addresses": Suppression.objects.filter(released_at=None)[:MAX_COUNT].count(),
        "months_ready": months_ready(now=now),
        "last_settled": last_settled.isoformat() if last_settled else "",
        "lease_until": lease_until.isoformat() if lease_until else "",
    }


def _age(moment: dt.datetime | None, now: dt.datetime) -> int:
    return max(int((now - moment).total_seconds()), 0) if moment else 0
