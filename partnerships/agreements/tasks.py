"""Scheduled tasks of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.agreements.services import record_due_steps


@shared_task
def act_on_dates() -> None:
    """Record what the dates of partnerships have done; may run twice."""
    record_due_steps(now=timezone.now())
