"""The task that previews and imports large spreadsheets."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.spreadsheets.services import process_waiting_uploads


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=840, time_limit=870)
def work_on_waiting() -> int:
    """Preview and import the spreadsheets that wait for a worker. Safe to run twice."""
    return process_waiting_uploads(now=timezone.now())
