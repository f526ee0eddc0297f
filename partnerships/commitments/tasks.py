"""What the beat asks of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.commitments import services


@shared_task
def remind_owners() -> None:
    """Write down today's reminders, then send what waits; may run twice."""
    services.queue_reminders(now=timezone.now())
    services.send_waiting_reminders(now=timezone.now())
