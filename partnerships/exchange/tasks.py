"""Celery tasks of the exchange."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.exchange import services


@shared_task
def match_due_entries() -> None:
    """Email about new entries, and match them."""
    services.email_new_entries(now=timezone.now())
    services.match_due_entries(now=timezone.now())


@shared_task
def close_due_entries() -> None:
    """Remind of closing dates, close entries, refresh keys and counts."""
    services.remind_of_closing(now=timezone.now())
    services.lapse_due_entries(now=timezone.now())
    services.refresh_places(now=timezone.now())
    services.refresh_parties(now=timezone.now())
    services.fold_counts()
