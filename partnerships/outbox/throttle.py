"""Throttles emails by minute and hour, in all and by domain.

Counts all senders together.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from partnerships.kit.database import rows_planned_once

_LOCK = 0x7061_6365  # any number that nothing else in the database locks
_ALL = "*"
_MINUTE, _HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)

# Emails to each domain within the hour, and within this minute.
_COUNTED = """
SELECT domain, sum(count), COALESCE(sum(count) FILTER (WHERE minute = %s), 0)
  FROM outbox_sendcount
 WHERE domain = ANY(%s) AND minute > %s
 GROUP BY domain
"""


def domain_of(address: str) -> str:
    """The part after the @, in lower case."""
    return address.rpartition("@")[2].lower()


def over_limit(emails: Iterable[tuple[int, str]], *, now: dt.datetime) -> tuple[set[int], Counter[str]]:
    """Emails (number, address) that must wait, and the others by domain.

    The second result is for `count`. Call in the transaction that claims them. With limits by minute, one sender counts
    at a time; the limit by hour is a safety net that each sender may exceed by one batch.
    """
    per_minute, per_domain = settings.EMAIL_PER_MINUTE, settings.EMAIL_PER_DOMAIN_PER_MINUTE
    per_hour = settings.EMAIL_PER_DOMAIN_PER_HOUR
    counted: Counter[str] = Counter()
    over: set[int] = set()
    wanted = [(number, domain_of(address)) for number, address in emails]
    # Without emails to count, no lock: the account lane must not wait for a sender that composes.
    if not wanted or not (per_minute or per_domain or per_hour):
        return over, counted
    if per_minute or per_domain:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    domains = sorted({domain for _, domain in wanted} | {_ALL})
    hour, minute = Counter[str](), Counter[str]()
    for domain, in_hour, in_minute in rows_planned_once(_COUNTED, [minute_of(now), domains, now - _HOUR]):
        hour[domain], minute[domain] = in_hour, in_minute
    for number, domain in wanted:
        if (
            (per_hour and hour[domain] + counted[domain] >= per_hour)
            or (per_domain and minute[domain] + counted[domain] >= per_domain)
            or (per_minute and minute[_ALL] + counted[_ALL] >= per_minute)
        ):
            over.add(number)
        else:
            counted[domain] += 1
            if per_minute:
                counted[_ALL] += 1
    return over, counted


def count(counted: Counter[str], *, now: dt.datetime) -> None:
    """Record how many leave, last in the claim: other senders wait for it."""
    if counted:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO outbox_sendcount (domain, minute, count)"
                " SELECT d, %s, c FROM unnest(%s::text[], %s::int[]) AS x(d, c)"
                " ORDER BY d ON CONFLICT (domain, minute)"
                " DO UPDATE SET count = outbox_sendcount.count + EXCLUDED.count",
                [minute_of(now), list(counted), list(counted.values())],
            )


def minute_of(moment: dt.datetime) -> dt.datetime:
    """The start of the minute."""
    return moment.replace(second=0, microsecond=0)


def next_minute(now: dt.datetime) -> dt.datetime:
    """When a throttled email may be tried again."""
    return minute_of(now) + _MINUTE
