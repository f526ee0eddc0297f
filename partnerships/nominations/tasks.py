"""The task that counts uploaded lettings."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.nominations import services


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=480, time_limit=510)
def count_waiting() -> int:
    """Count the lettings that wait for a worker. Safe to run twice."""
    return services.count_waiting(now=timezone.now())
