"""Counts the emails in the outbox and what waits to be chosen for a digest."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from partnerships.digests.models import OpenDigest, Publication, SubjectWatermark, Watermark
from partnerships.outbox.queries.queue import MAX_COUNT
from partnerships.outbox.queries.queue import queue_figures as outbox_figures

#: How many watermarks wait, of each table at most as many as are counted, and how many email requests failed.
_COUNTED = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM digests_watermark WHERE due_at IS NOT NULL LIMIT %(most)s) one)
     + (SELECT count(*) FROM (SELECT 1 FROM digests_subjectwatermark WHERE due_at IS NOT NULL LIMIT %(most)s) one),
       (SELECT count(*) FROM digests_emailrequest WHERE tries > 0)
"""


def queue_figures() -> dict[str, Any]:
    """Return the figures of the outbox, and how many watermarks wait (up to 100,000).

    * `oldest_due_seconds` is also about people who wait to be chosen, and versions that wait to be spread. With
      EMAILS_HELD it is 0, because then nothing is chosen on purpose.
    * `not_composed` counts failed email requests too.
    """
    figures = outbox_figures()
    now = timezone.now()
    under_way = OpenDigest.objects.filter(recipient=OuterRef("recipient"), repeat_of_id=0)
    due = [rows.filter(~Exists(under_way), due_at__lte=now) for rows in (Watermark.objects, SubjectWatermark.objects)]
    spread = Publication.objects.filter(spread_at=None, available_at__lte=now).order_by("available_at")
    first = [rows.order_by("due_at").values_list("due_at")[:1] for rows in due]
    moments = [moment for (moment,) in spread.values_list("available_at")[:1].union(*first, all=True)]
    oldest = min(moments, default=None)
    waited = 0 if settings.EMAILS_HELD or oldest is None else int((now - oldest).total_seconds())
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"most": MAX_COUNT})
        waiting, failed = cursor.fetchone()
    return figures | {
        "waiting": waiting,
        "oldest_due_seconds": max(waited, figures["oldest_due_seconds"]),
        "not_composed": figures["not_composed"] + failed,
    }
