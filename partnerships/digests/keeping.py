"""Retention: letters as sent are kept for 30 days, the shared pieces as long as letters need them, counters for a
day."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from partnerships.digests.models import OPEN, Delivery, Pace, Piece, Publication

#: How long the message exactly as sent is kept; the row that says who got what, and when, stays.
KEPT = dt.timedelta(days=30)


def tidy(*, now: dt.datetime) -> dict[str, int]:
    """Remove what is older than it is kept; says how much of what."""
    old = Delivery.objects.filter(created_at__lte=now - KEPT, recipe__isnull=False).exclude(status__in=OPEN)
    return {
        "bodies": old.update(recipe=None),
        "pieces": Piece.objects.filter(used_at__lte=now - KEPT - dt.timedelta(days=3)).delete()[0],
        "paces": Pace.objects.filter(minute__lte=now - dt.timedelta(days=1)).delete()[0],
        "publications": Publication.objects.filter(
            spread_at__lte=now - KEPT, number__lt=F("plan__current_number")
        ).delete()[0],
    }
