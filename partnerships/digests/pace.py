"""Throttling: how many letters may leave a minute and an hour, in all and for each recipient's domain, across all
workers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from partnerships.kit.database import rows_planned_once

_LOCK = 0x7061_6365  # "pace"
_ALL = "*"
_MINUTE, _HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)

# How many went to each domain within the hour, and within this minute.
_GONE = """
SELECT domain, sum(count), COALESCE(sum(count) FILTER (WHERE minute = %s), 0)
  FROM digests_pace
 WHERE domain = ANY(%s) AND minute > %s
 GROUP BY domain
"""


def domain_of(address: str) -> str:
    """The part after the @, in lower case."""
    return address.rpartition("@")[2].lower()


def hold_back(letters: Iterable[tuple[int, str]], *, now: dt.datetime) -> tuple[set[int], Counter[str]]:
    """Which letters (number, address) must wait a minute, and how many of the others go to each domain, for `count`.

    Call in the transaction that claims them. With limits a minute, one worker counts at a time; the limit an hour is
    a safety net and may be passed by one batch a worker.
    """
    per_minute, per_domain = settings.DIGEST_PER_MINUTE, settings.DIGEST_PER_DOMAIN_PER_MINUTE
    per_hour = settings.DIGEST_PER_DOMAIN_PER_HOUR
    counted: Counter[str] = Counter()
    held: set[int] = set()
    if not (per_minute or per_domain or per_hour):
        return held, counted
    if per_minute or per_domain:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    wanted = [(number, domain_of(address)) for number, address in letters]
    domains = sorted({domain for _, domain in wanted} | {_ALL})
    hour, this = Counter[str](), Counter[str]()
    for domain, in_hour, in_minute in rows_planned_once(_GONE, [_minute(now), domains, now - _HOUR]):
        hour[domain], this[domain] = in_hour, in_minute
    for number, domain in wanted:
        if (
            (per_hour and hour[domain] + counted[domain] >= per_hour)
            or (per_domain and this[domain] + counted[domain] >= per_domain)
            or (per_minute and this[_ALL] + counted[_ALL] >= per_minute)
        ):
            held.add(number)
        else:
            counted[domain] += 1
            if per_minute:
                counted[_ALL] += 1
    return held, counted


def count(counted: Counter[str], *, now: dt.datetime) -> None:
    """Write down how many leave; the last thing in the claiming transaction, for other workers wait for these rows."""
    if counted:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO digests_pace (domain, minute, count)"
                " SELECT d, %s, c FROM unnest(%s::text[], %s::int[]) AS x(d, c)"
                " ORDER BY d ON CONFLICT (domain, minute) DO UPDATE SET count = digests_pace.count + EXCLUDED.count",
                [_minute(now), list(counted), list(counted.values())],
            )


def _minute(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0)


def next_minute(now: dt.datetime) -> dt.datetime:
    """When a letter that was held back may try again."""
    return _minute(now) + _MINUTE
