"""Celery tasks of imports."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.transfer.services import registers


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=840, time_limit=870)
def apply_waiting() -> int:
    """Check or import the lists that are queued. Two workers may run this at once."""
    return registers.apply_waiting(now=timezone.now())
