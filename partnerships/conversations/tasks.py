"""Scheduled tasks of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.conversations import services


@shared_task
def keep_reports() -> None:
    """Open progress reports that are due, then send reminders of reports that are not submitted. This may run twice."""
    now = timezone.now()
    services.open_due_reports(now=now)
    services.remind_of_reports(now=now)
