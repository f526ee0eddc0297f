"""Celery tasks: the broker carries nudges, the rows in PostgreSQL say what is to be done. Every task may run twice."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from partnerships.digests.choosing import announce_joined, plan_in_parts, reconcile
from partnerships.digests.keeping import tidy
from partnerships.digests.matches import note_matches
from partnerships.digests.queries.queue import could_leave
from partnerships.digests.sending import drain as send_what_is_due

#: A drain ends after so long and lets another go on, so that a worker can be stopped without waiting for all of a
#: long run.
_SECONDS = 20.0


@shared_task(name="partnerships.digests.tasks.sweep")
def sweep() -> None:
    """Find what waits, choose who is due, and wake one drain for each process of the worker: as soon as the first are
    chosen, and once more at the end, for whoever was still choosing, or ended meanwhile."""
    for place, _chosen in enumerate(plan_in_parts(now=timezone.now())):
        if place == 0:
            wake()
    if could_leave(1):
        wake()


def wake() -> None:
    """Wake the drains."""
    for _ in range(settings.WORKER_CONCURRENCY):
        drain.apply_async(expires=30)


@shared_task(name="partnerships.digests.tasks.drain")
def drain() -> None:
    """Send what is due; when time is up and something is left, hand over to the next."""
    if not send_what_is_due(seconds=_SECONDS).is_all:
        drain.apply_async(expires=30)


@shared_task(name="partnerships.digests.tasks.regularly")
def regularly() -> None:
    """Every hour: announce plans that joined what people follow, give roles, find what was left untold, note new
    matches, remove what is kept no longer than needed."""
    now = timezone.now()
    announce_joined(now=now)
    reconcile(now=now)
    note_matches(now=now)
    tidy(now=now)
