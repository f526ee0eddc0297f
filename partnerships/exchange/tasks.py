"""What runs by itself: matching what changed, telling those asked and what fits, lapsing, reminding, following."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.exchange import services


@shared_task
def match_due_entries() -> None:
    """Tell those whom it asks what was shared, match what changed, and tell people whose saved filters it fits."""
    services.tell_asked(now=timezone.now())
    services.match_due_entries(now=timezone.now())
    services.tell_new_fits(now=timezone.now())


@shared_task
def close_due_entries() -> None:
    """Remind of what closes soon, let lapse what closed, follow areas and parties, and keep the counters short."""
    services.remind_of_closing(now=timezone.now())
    services.lapse_due_entries(now=timezone.now())
    services.follow_places(now=timezone.now())
    services.follow_parties(now=timezone.now())
    services.fold_counts()
