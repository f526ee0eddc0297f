"""The task that closes surveys."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.surveys import services


@shared_task(acks_late=True, ignore_result=True)
def close_due() -> int:
    """Close surveys whose last day is over. Safe to run twice."""
    return services.close_due(now=timezone.now())
