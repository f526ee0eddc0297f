"""What happens to partnerships by itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.agreements.services import start_due_reviews


@shared_task
def start_due_reviews_now() -> int:
    """Put active partnerships whose review date has come under review."""
    return start_due_reviews(now=timezone.now())
