"""Scheduled tasks of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.agreements.services import start_due_reviews


@shared_task
def start_due_reviews_now() -> int:
    """Start reviews that are due."""
    return start_due_reviews(now=timezone.now())
