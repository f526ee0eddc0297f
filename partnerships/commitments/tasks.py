"""The Celery task that reminds owners of due dates."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.commitments import services


@shared_task
def remind_owners() -> None:
    """Record today's reminders. Running the task twice sends no reminder twice."""
    services.remind_owners(now=timezone.now())
