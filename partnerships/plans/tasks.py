"""Periodic tasks: reminders about signatures, and the end of embargoes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.plans import services


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def remind_signatories() -> int:
    """Remind the signatories that have not decided."""
    return services.remind_signatories(now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def escalate_signatories() -> int:
    """Email the next post of signatories whose deadline has passed."""
    return services.escalate_signatories(now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def release_signatories() -> int:
    """Stop asking signatories that have left."""
    return services.release_signatories(now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def lift_embargoes() -> int:
    """Open versions whose embargo is over."""
    return services.lift_embargoes(now=timezone.now())
