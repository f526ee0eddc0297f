"""Celery tasks: the broker carries nudges, the rows in PostgreSQL say what is to be done. Every task may run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.digests.planning.choosing import announce_joined, reconcile
from partnerships.digests.planning.matches import find_new_matches
from partnerships.digests.retention import tidy
from partnerships.digests.services.sweep import run_in_parts
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import emails_recorded, wake_if_due


@shared_task(name="partnerships.digests.tasks.sweep")
def sweep() -> None:
    """Find what waits, choose who is due, and wake the senders: once the first are chosen, and again at the end."""
    for place, _chosen in enumerate(run_in_parts(now=timezone.now())):
        if place == 0:
            emails_recorded.send(sender=Email, lanes={Lane.DIGEST})
    wake_if_due()


@shared_task(name="partnerships.digests.tasks.regularly")
def regularly() -> None:
    """Every hour: announce plans that joined what people follow, give roles, find what was left untold, note new
    matches, remove what is kept no longer than needed."""
    now = timezone.now()
    announce_joined(now=now)
    reconcile(now=now)
    find_new_matches(now=now)
    tidy(now=now)
