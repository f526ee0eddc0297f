"""Scheduled tasks of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.organisations import services


@shared_task
def hand_over_due() -> None:
    """Pass on what successions hand over from today; may run twice."""
    services.hand_over_due(now=timezone.now())
