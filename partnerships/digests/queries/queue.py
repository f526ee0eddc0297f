"""How the queue stands: whether anything could leave now, and the figures that operators watch."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils import timezone

from partnerships.digests.models import (
    NOT_WRITTEN,
    OPEN,
    Bounce,
    Delivery,
    DeliveryKind,
    DeliveryStatus,
    Publication,
    Suppression,
    Told,
    TypedAddress,
)
from partnerships.kit.database import rows_planned_once

_COULD_LEAVE = """
SELECT count(*) FROM (
    SELECT 1 FROM digests_delivery
     WHERE status IN ('queued', 'sending') AND available_at <= statement_timestamp() LIMIT %s) counted
"""


def could_leave(most: int) -> int:
    """How many deliveries could be claimed now, counted up to so many, by the database's own clock."""
    ((count,),) = rows_planned_once(_COULD_LEAVE, [most], whatever_is_asked=True)
    return int(count)


def queue_figures() -> dict[str, int]:
    """How many deliveries are in each state, and how long the oldest that is due has waited: what operators watch.

    `not_written` counts letters that cannot be written, set aside or still being tried, and addresses typed into public
    pages of which the same is so; `oldest_due_seconds` letters
    that could be claimed, people who could be chosen and versions that could be spread; 0 while DIGESTS_HELD, for then
    nothing is overdue.
    """
    by_status = Delivery.objects.values_list("status").annotate(
        count=Count("pk"), not_written=Count("pk", filter=Q(reason__startswith=NOT_WRITTEN))
    )
    rows = list(by_status.order_by())
    counts = {status: count for status, count, _ in rows}
    now = timezone.now()
    under_way = Delivery.objects.filter(
        recipient=OuterRef("recipient"), kind=DeliveryKind.DIGEST, repeat_of=None, status__in=OPEN
    )
    moments = [
        Delivery.objects.filter(status__in=OPEN, available_at__lte=now).aggregate(at=Min("available_at"))["at"],
        Told.objects.filter(~Exists(under_way), due_at__lte=now).aggregate(at=Min("due_at"))["at"],
        Publication.objects.filter(spread_at=None, available_at__lte=now).aggregate(at=Min("available_at"))["at"],
    ]
    oldest = min((moment for moment in moments if moment is not None), default=None)
    held = settings.DIGESTS_HELD or oldest is None
    return {
        **{status: counts.get(status, 0) for status in DeliveryStatus.values},
        "waiting": Told.objects.filter(due_at__isnull=False).count(),
        "oldest_due_seconds": 0 if held or oldest is None else int((now - oldest).total_seconds()),
        "not_written": sum(count for _, _, count in rows) + TypedAddress.objects.filter(tries__gt=0).count(),
        "suppressed_addresses": Suppression.objects.filter(released_at=None).count(),
        "soft_bounces": Bounce.objects.filter(kind=Bounce.Kind.SOFT).count(),
    }
