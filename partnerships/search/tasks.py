"""The task that keeps the index current."""

from __future__ import annotations

from celery import shared_task

from partnerships.search import services


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=240, time_limit=300)
def index_stale() -> int:
    """Index what has changed; the rest of a long queue waits for the next run."""
    return services.index_stale()
