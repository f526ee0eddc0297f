"""Figures of the queue: emails in the outbox, and what waits to be chosen."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Exists, Min, OuterRef
from django.utils import timezone

from partnerships.digests.models import EmailRequest, OpenDigest, Publication, SubjectWatermark, Watermark
from partnerships.outbox.queries.queue import MAX_COUNT
from partnerships.outbox.queries.queue import queue_figures as outbox_figures


def queue_figures() -> dict[str, Any]:
    """The outbox's figures, and how many watermarks wait (up to 100,000).

    `oldest_due_seconds` includes people waiting to be chosen and versions waiting to be spread; with EMAILS_HELD it is
    0. `not_composed` includes failed email requests.
    """
    figures = outbox_figures()
    now = timezone.now()
    under_way = OpenDigest.objects.filter(recipient=OuterRef("recipient"), repeat_of_id=0)
    moments = [
        Watermark.objects.filter(~Exists(under_way), due_at__lte=now).aggregate(at=Min("due_at"))["at"],
        SubjectWatermark.objects.filter(~Exists(under_way), due_at__lte=now).aggregate(at=Min("due_at"))["at"],
        Publication.objects.filter(spread_at=None, available_at__lte=now).aggregate(at=Min("available_at"))["at"],
    ]
    oldest = min((moment for moment in moments if moment is not None), default=None)
    waited = 0 if settings.EMAILS_HELD or oldest is None else int((now - oldest).total_seconds())
    return figures | {
        "waiting": sum(
            rows.filter(due_at__isnull=False)[:MAX_COUNT].count()
            for rows in (Watermark.objects, SubjectWatermark.objects)
        ),
        "oldest_due_seconds": max(waited, figures["oldest_due_seconds"]),
        "not_composed": figures["not_composed"] + EmailRequest.objects.filter(tries__gt=0).count(),
    }
