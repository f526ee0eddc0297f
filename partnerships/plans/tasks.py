"""Periodic tasks that follow up signatures and end embargoes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.plans import services


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def remind_signatories() -> int:
    """Email a reminder to the leads of signatories that have not decided."""
    return services.remind_signatories(now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def escalate_signatories() -> int:
    """Email the escalation post, or else the leads, of each signatory that missed its deadline."""
    return services.escalate_signatories(now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def release_signatories() -> int:
    """Stop asking the signatories that no longer take part in their plans."""
    return services.release_signatories(now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def lift_embargoes() -> int:
    """Open the versions with an embargo that has ended."""
    return services.lift_embargoes(now=timezone.now())
