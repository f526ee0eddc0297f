"""The tasks that update the index of search."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from partnerships.search import files, services


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=240, time_limit=300)
def index_stale() -> int:
    """Index the changed records. If the queue is long, the next run indexes the rest."""
    return services.index_stale(stop_on=(SoftTimeLimitExceeded,))


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=600, time_limit=630)
def prune_words() -> int:
    """Delete words for spelling corrections that no entry has any longer."""
    return services.prune_words()


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=300, time_limit=330)
def read_files() -> int:
    """Read the text of the next files, each in a separate process."""
    return files.read_files()


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=60, time_limit=90)
def queue_the_day() -> int:
    """Queue people and contacts who began or ended a role in the last days, because no trigger queues them.

    The task has an old name, because messages and the schedule of a running release use it.
    """
    return services.queue_recent_role_changes(timezone.localdate())
