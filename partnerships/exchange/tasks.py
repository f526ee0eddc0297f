"""Celery tasks of the exchange."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.exchange import services


@shared_task
def match_due_entries() -> None:
    """Email the organisations that new entries ask, and match new and changed entries. Runs every 20 seconds."""
    services.email_new_entries(now=timezone.now())
    services.match_due_entries(now=timezone.now())


@shared_task
def close_due_entries() -> None:
    """Send reminders of closing dates, close entries, and refresh keys and counts. Runs every half hour."""
    services.remind_of_closing(now=timezone.now())
    services.lapse_due_entries(now=timezone.now())
    services.refresh_places(now=timezone.now())
    services.refresh_parties(now=timezone.now())
    services.fold_counts()
