"""Retention of emails, and the monthly partitions of their table.

Messages are stored for 30 days, addresses for a year, and rows for three years.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, JSONField, QuerySet, Value, When

from partnerships.outbox.models import (
    ADDRESS_RETENTION,
    BODY_RETENTION,
    Bounce,
    DeliveredBefore,
    Email,
    EmailPart,
    LegacyMessageId,
    ReportSeen,
    SendCount,
)
from partnerships.outbox.months import MONTH_BITS

#: How many rows are changed in one transaction.
BATCH = 5_000
#: Partitions are created this many months ahead, so that a job may fail for months without losing emails.
MONTHS_AHEAD = 12
#: Administrators are alerted when partitions exist for fewer months than this.
MIN_MONTHS_READY = 2


def first_id_of_month(moment: dt.datetime) -> int:
    """Return the lowest id that an email of this month can have, because ids begin with their month."""
    in_utc = moment.astimezone(dt.UTC)
    months_since_2000 = (in_utc.year - 2000) * 12 + in_utc.month - 1
    return months_since_2000 << MONTH_BITS


def clear_bodies(*, now: dt.datetime, dry_run: bool = False) -> int:
    """Clear messages, and the values that composers stored with them, after 30 days, and return how many."""
    rows = Email.objects.settled().filter(created_at__lte=now - BODY_RETENTION, recipe__isnull=False)
    return _in_batches(rows, "created_at", {"recipe": None, "memo": None}, dry_run=dry_run)


def clear_addresses(*, now: dt.datetime, kinds_with_params: Collection[str] = (), dry_run: bool = False) -> int:
    """Clear addresses, subjects, servers' replies and parameters after a year, and return how many rows.

    The parameters of the kinds in `kinds_with_params` are not cleared. The stop links in these emails work for longer
    than a year, and need the parameters to find what the email was about. Parameters of other kinds may contain text,
    such as why a meeting was moved.
    """
    emails = Email.objects.settled().filter(created_at__lte=now - ADDRESS_RETENTION)
    emails = emails.exclude(address="", subject="", reason="")  # the condition of the index `outbox_email_personal`
    params = Case(When(kind__in=kinds_with_params, then=F("params")), default=Value({}, JSONField()))
    cleared_values = {"address": "", "subject": "", "reason": "", "params": params}
    cleared_count = _in_batches(emails, "created_at", cleared_values, dry_run=dry_run)
    bounces = Bounce.objects.filter(at__lte=now - ADDRESS_RETENTION).exclude(address="")
    return cleared_count + _in_batches(bounces, "at", {"address": "", "text": ""}, dry_run=dry_run)


def unused_parts(now: dt.datetime) -> QuerySet[EmailPart]:
    """Return the shared parts that no email needs any more."""
    return EmailPart.objects.filter(used_at__lte=now - BODY_RETENTION - dt.timedelta(days=3))


def old_deliveries(now: dt.datetime) -> QuerySet[DeliveredBefore]:
    """Return the deliveries before a restore that are too old for an email to repeat them."""
    return DeliveredBefore.objects.filter(at__lte=now - BODY_RETENTION)


def old_counts(now: dt.datetime) -> QuerySet[SendCount]:
    """Return the throttling counts that no limit reads any more."""
    return SendCount.objects.filter(minute__lte=now - dt.timedelta(days=1))


def old_reports(now: dt.datetime) -> QuerySet[ReportSeen]:
    """Return the processed reports that are too old to arrive a second time."""
    return ReportSeen.objects.filter(seen_at__lte=now - ADDRESS_RETENTION)


def old_message_ids(now: dt.datetime) -> QuerySet[LegacyMessageId]:
    """Return the old Message-IDs of emails that no longer exist."""
    return LegacyMessageId.objects.filter(email_id__lt=lowest_id() or 0)


def _in_batches(rows: QuerySet[Any], order_by: str, values: dict[str, Any], *, dry_run: bool) -> int:
    """Set these values in batches of rows, and return how many rows were changed.

    With `dry_run`, nothing is changed and the number of matching rows is returned. A changed row must no longer be
    among `rows`. `order_by` is the column of the partial index of these rows.
    """
    if dry_run:
        return rows.count()
    changed_count = 0
    while pks := list(rows.order_by(order_by).values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            changed_count += rows.model._default_manager.filter(pk__in=pks).update(**values)
    return changed_count


def make_partitions(*, now: dt.datetime) -> int:
    """Create the partitions of this and later months, and return how many were missing. May run twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_make_partitions(%s, %s)", [now, MONTHS_AHEAD])
        return int(cursor.fetchone()[0])


def drop_partitions() -> int:
    """Drop partitions whose newest row is three years old by the database's clock, and return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_drop_partitions()")
        return int(cursor.fetchone()[0])


def lowest_id() -> int | None:
    """Return the lowest id of an email that still exists, or None without emails.

    Ids only increase, so an email with a lower id no longer exists.
    """
    return Email.objects.order_by("pk").values_list("pk", flat=True).first()


def count_months_ready(*, now: dt.datetime) -> int:
    """Return how many months after this one have a partition."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_months_ready(%s)", [now])
        return int(cursor.fetchone()[0])
