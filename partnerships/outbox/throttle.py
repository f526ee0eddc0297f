"""Limits how many emails are sent in a minute and in an hour, by all senders together and to each domain."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import connection

from partnerships.kit.database import rows_planned_once

LOCK = 0x7061_6365  # "pace" in ASCII; no other advisory lock uses this number
_ALL_DOMAINS = "*"
_MINUTE, _HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)

# Selects how many emails were claimed for each domain within the last hour, and how many of these within this minute.
_COUNTS = """
SELECT domain, sum(count), COALESCE(sum(count) FILTER (WHERE minute = %s), 0)
  FROM outbox_sendcount
 WHERE domain = ANY(%s) AND minute > %s
 GROUP BY domain
"""

# Adds counts in the order of domains, so that two senders cannot deadlock.
_ADD_COUNTS = """
INSERT INTO outbox_sendcount (domain, minute, count)
SELECT domain, %(minute)s, count
  FROM unnest(%(domains)s::text[], %(counts)s::int[]) AS added(domain, count)
 ORDER BY domain
    ON CONFLICT (domain, minute) DO UPDATE SET count = outbox_sendcount.count + EXCLUDED.count
"""


def domain_of(address: str) -> str:
    """Return the part of an address after the @, in lower case."""
    return address.rpartition("@")[2].lower()


def ids_over_limit(emails: Iterable[tuple[int, str]], *, now: dt.datetime) -> tuple[set[int], Counter[str]]:
    """Return the ids of the emails (id, address) that must wait, and the number of other emails for each domain.

    The second result is for `count_sends`. Call this in the transaction that claims the emails. If there is a limit by
    minute, a lock ensures that one sender counts at a time. Without such a limit there is no lock, so each sender may
    exceed the limit by hour by one batch.
    """
    per_minute = settings.EMAIL_PER_MINUTE
    domain_per_minute = settings.EMAIL_PER_DOMAIN_PER_MINUTE
    domain_per_hour = settings.EMAIL_PER_DOMAIN_PER_HOUR

    count_by_domain: Counter[str] = Counter()
    throttled_ids: set[int] = set()
    domain_of_emails = [(email_id, domain_of(address)) for email_id, address in emails]
    # Without emails to count, no lock is acquired. A claim of account emails must not wait for a sender that composes.
    if not domain_of_emails or not (per_minute or domain_per_minute or domain_per_hour):
        return throttled_ids, count_by_domain

    if per_minute or domain_per_minute:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])

    domains = sorted({domain for _, domain in domain_of_emails} | {_ALL_DOMAINS})
    hour_count_by_domain, minute_count_by_domain = Counter[str](), Counter[str]()
    rows = rows_planned_once(_COUNTS, [start_of_minute(now), domains, now - _HOUR])
    for domain, hour_count, minute_count in rows:
        hour_count_by_domain[domain] = hour_count
        minute_count_by_domain[domain] = minute_count

    def is_reached(limit: int, earlier_counts: Counter[str], domain: str) -> bool:
        """Return whether earlier emails and those of this batch reach the limit. A limit of 0 means no limit."""
        return bool(limit) and earlier_counts[domain] + count_by_domain[domain] >= limit

    for email_id, domain in domain_of_emails:
        if (
            is_reached(domain_per_hour, hour_count_by_domain, domain)
            or is_reached(domain_per_minute, minute_count_by_domain, domain)
            or is_reached(per_minute, minute_count_by_domain, _ALL_DOMAINS)
        ):
            throttled_ids.add(email_id)
            continue
        count_by_domain[domain] += 1
        if per_minute:
            count_by_domain[_ALL_DOMAINS] += 1
    return throttled_ids, count_by_domain


def count_sends(count_by_domain: Counter[str], *, now: dt.datetime) -> None:
    """Record how many emails are sent to each domain.

    This must be the last step of a claim, because other senders wait for it.
    """
    if not count_by_domain:
        return
    columns: dict[str, Any] = {
        "minute": start_of_minute(now),
        "domains": list(count_by_domain),
        "counts": list(count_by_domain.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD_COUNTS, columns)


def start_of_minute(moment: dt.datetime) -> dt.datetime:
    """Return the start of the minute."""
    return moment.replace(second=0, microsecond=0)


def next_minute(now: dt.datetime) -> dt.datetime:
    """Return when a throttled email may be claimed again: at the start of the next minute."""
    return start_of_minute(now) + _MINUTE
