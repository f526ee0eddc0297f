"""Scheduled tasks of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.organisations import services


@shared_task
def hand_over_due() -> None:
    """Make due successions take effect and pass their records on. The task may run twice."""
    services.hand_over_due(now=timezone.now())
