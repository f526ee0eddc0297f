"""How long emails are kept: bodies 30 days, addresses a year, rows three years; and the partitions of each month."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

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

#: How many rows are changed in one transaction.
BATCH = 5_000
#: Partitions are made for this many months ahead, so that a job that fails for months loses nothing.
MONTHS_AHEAD = 12
#: Operators are told when partitions exist for fewer months than this.
MIN_MONTHS_READY = 2


def first_id(moment: dt.datetime) -> int:
    """The lowest number an email of this month can have: numbers begin with their month (docs/outbox.md)."""
    moment = moment.astimezone(dt.UTC)
    return ((moment.year - 2000) * 12 + moment.month - 1) << 40


def clear_bodies(*, now: dt.datetime, dry_run: bool = False) -> int:
    """Clear what was sent, and what it was composed from, 30 days after."""
    rows = Email.objects.is_settled().filter(created_at__lte=now - BODY_KEPT, recipe__isnull=False)
    return _in_batches(rows, "created_at", {"recipe": None, "memo": None}, dry_run=dry_run)


def clear_addresses(*, now: dt.datetime, dry_run: bool = False) -> int:
    """Clear addresses, subjects and what mail servers said, a year after."""
    emails = (
        Email.objects.is_settled()
        .filter(created_at__lte=now - ADDRESS_KEPT)
        .exclude(address="", subject="", reason="", params={})
    )
    empty = {"address": "", "subject": "", "reason": "", "params": {}}
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
    """Counts of throttling that no limit looks at any more."""
    return SendCount.objects.filter(minute__lte=now - dt.timedelta(days=1))


def old_reports(now: dt.datetime) -> QuerySet[ReportSeen]:
    """Reports of providers that will not come again."""
    return ReportSeen.objects.filter(seen_at__lte=now - ADDRESS_KEPT)


def old_message_ids(now: dt.datetime) -> QuerySet[LegacyMessageId]:
    """Message-IDs from before the outbox whose email is gone."""
    return LegacyMessageId.objects.filter(email_id__lt=lowest_number() or 0)


def _in_batches(rows: QuerySet[Any], by: str, values: dict[str, Any], *, dry_run: bool) -> int:
    """Set `values`, which take a row out of `rows`, in the oldest first; `by` is the column of the partial index."""
    if dry_run:
        return rows.count()
    changed = 0
    while numbers := list(rows.order_by(by).values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            changed += rows.model._default_manager.filter(pk__in=numbers).update(**values)
    return changed


def make_partitions(*, now: dt.datetime) -> int:
    """Make the partitions of this month and the coming ones; returns how many were missing. May run twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_make_partitions(%s, %s)", [now, MONTHS_AHEAD])
        return int(cursor.fetchone()[0])


def drop_partitions() -> int:
    """Drop partitions whose youngest row is three years old; the database decides which these are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_drop_partitions()")
        return int(cursor.fetchone()[0])


def lowest_number() -> int | None:
    """The lowest number an email has; numbers only rise, so that what refers to a lower one refers to nothing."""
    return Email.objects.order_by("pk").values_list("pk", flat=True).first()


def months_ready(*, now: dt.datetime) -> int:
    """For how many months after this one partitions exist: what operators watch."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_months_ready(%s)", [now])
        return int(cursor.fetchone()[0])
