"""Counts the emails in the outbox and the news that waits to be chosen for a digest."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from partnerships.digests.models import OpenDigest, Publication, SubjectWatermark, Watermark
from partnerships.outbox.queries.queue import MAX_COUNT
from partnerships.outbox.queries.queue import queue_figures as outbox_figures

#: Counts the watermarks that wait, up to a limit in each table, and the email requests that failed.
_COUNTED = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM digests_watermark WHERE due_at IS NOT NULL LIMIT %(most)s) one)
     + (SELECT count(*) FROM (SELECT 1 FROM digests_subjectwatermark WHERE due_at IS NOT NULL LIMIT %(most)s) one),
       (SELECT count(*) FROM digests_emailrequest WHERE tries > 0)
"""


def queue_figures() -> dict[str, Any]:
    """Return the figures of the outbox, and how many watermarks wait (up to 100,000).

    * `oldest_due_seconds` also covers people who wait to be chosen and versions that wait to be spread. With
      EMAILS_HELD these do not count, because then digests are held back on purpose.
    * `not_composed` also counts failed email requests.
    """
    figures = outbox_figures()
    now = timezone.now()
    open_digests = OpenDigest.objects.filter(recipient=OuterRef("recipient"), repeat_of_id=0)
    # One statement reads the oldest moment of each of the three tables.
    first_due_times = []
    for watermarks in (Watermark.objects, SubjectWatermark.objects):
        due_watermarks = watermarks.filter(~Exists(open_digests), due_at__lte=now)
        first_due_times.append(due_watermarks.order_by("due_at").values_list("due_at")[:1])
    due_publications = Publication.objects.filter(spread_at=None, available_at__lte=now).order_by("available_at")
    first_publication = due_publications.values_list("available_at")[:1]
    due_times = [moment for (moment,) in first_publication.union(*first_due_times, all=True)]
    waited_seconds = 0
    if due_times and not settings.EMAILS_HELD:
        waited_seconds = int((now - min(due_times)).total_seconds())
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"most": MAX_COUNT})
        waiting, failed = cursor.fetchone()
    return figures | {
        "waiting": waiting,
        "oldest_due_seconds": max(waited_seconds, figures["oldest_due_seconds"]),
        "not_composed": figures["not_composed"] + failed,
    }
