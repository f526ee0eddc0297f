"""Retention of emails, and their monthly partitions.

Bodies are kept for 30 days, addresses for a year, rows for three years.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, JSONField, QuerySet, Value, When

from partnerships.outbox.models import (
    ADDRESS_KEPT,
    BODY_KEPT,
    Bounce,
    DeliveredBefore,
    Email,
    EmailPart,
    LegacyMessageId,
    ReportSeen,
    SendCount,
)

#: Rows changed in one transaction.
BATCH = 5_000
#: Partitions are made this many months ahead, so that a job may fail for months without losing emails.
MONTHS_AHEAD = 12
#: Operators are alerted when partitions exist for fewer months than this.
MIN_MONTHS_READY = 2


def first_id(moment: dt.datetime) -> int:
    """The lowest possible number of an email of this month.

    Numbers begin with their month (docs/outbox.md).
    """
    moment = moment.astimezone(dt.UTC)
    return ((moment.year - 2000) * 12 + moment.month - 1) << 40


def clear_bodies(*, now: dt.datetime, dry_run: bool = False) -> int:
    """Clear messages, and what they were composed from, after 30 days."""
    rows = Email.objects.is_settled().filter(created_at__lte=now - BODY_KEPT, recipe__isnull=False)
    return _in_batches(rows, "created_at", {"recipe": None, "memo": None}, dry_run=dry_run)


def clear_addresses(*, now: dt.datetime, keeping: Collection[str] = (), dry_run: bool = False) -> int:
    """Clear addresses, subjects, servers' replies and params after a year.

    Emails of the kinds in `keeping` keep their params: by these a stop link, which works longer, knows what its email
    was about. Those of others may hold words, such as why a meeting was moved.
    """
    emails = Email.objects.is_settled().filter(created_at__lte=now - ADDRESS_KEPT)
    emails = emails.exclude(address="", subject="", reason="")  # as the index `outbox_email_personal` is written
    params = Case(When(kind__in=keeping, then=F("params")), default=Value({}, JSONField()))
    empty = {"address": "", "subject": "", "reason": "", "params": params}
    cleared = _in_batches(emails, "created_at", empty, dry_run=dry_run)
    bounces = Bounce.objects.filter(at__lte=now - ADDRESS_KEPT).exclude(address="")
    return cleared + _in_batches(bounces, "at", {"address": "", "text": ""}, dry_run=dry_run)


def old_parts(now: dt.datetime) -> QuerySet[EmailPart]:
    """Shared parts that no kept email needs."""
    return EmailPart.objects.filter(used_at__lte=now - BODY_KEPT - dt.timedelta(days=3))


def old_deliveries(now: dt.datetime) -> QuerySet[DeliveredBefore]:
    """Deliveries before a restore that are too old to be repeated."""
    return DeliveredBefore.objects.filter(at__lte=now - BODY_KEPT)


def old_counts(now: dt.datetime) -> QuerySet[SendCount]:
    """Throttling counts that no limit reads any more."""
    return SendCount.objects.filter(minute__lte=now - dt.timedelta(days=1))


def old_reports(now: dt.datetime) -> QuerySet[ReportSeen]:
    """Processed reports that will not come again."""
    return ReportSeen.objects.filter(seen_at__lte=now - ADDRESS_KEPT)


def old_message_ids(now: dt.datetime) -> QuerySet[LegacyMessageId]:
    """Old Message-IDs whose email is gone."""
    return LegacyMessageId.objects.filter(email_id__lt=lowest_number() or 0)


def _in_batches(rows: QuerySet[Any], by: str, values: dict[str, Any], *, dry_run: bool) -> int:
    """Set `values` in the oldest of `rows` first, which removes them from it.

    `by` is the column of the partial index.
    """
    if dry_run:
        return rows.count()
    changed = 0
    while numbers := list(rows.order_by(by).values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            changed += rows.model._default_manager.filter(pk__in=numbers).update(**values)
    return changed


def make_partitions(*, now: dt.datetime) -> int:
    """Make the partitions of this and later months; how many were missing.

    May run twice.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_make_partitions(%s, %s)", [now, MONTHS_AHEAD])
        return int(cursor.fetchone()[0])


def drop_partitions() -> int:
    """Drop partitions whose newest row is three years old.

    The database decides which.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_drop_partitions()")
        return int(cursor.fetchone()[0])


def lowest_number() -> int | None:
    """The lowest number of an email.

    Numbers only rise, so a reference to a lower one points to nothing.
    """
    return Email.objects.order_by("pk").values_list("pk", flat=True).first()


def months_ready(*, now: dt.datetime) -> int:
    """For how many later months partitions exist."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_months_ready(%s)", [now])
        return int(cursor.fetchone()[0])
