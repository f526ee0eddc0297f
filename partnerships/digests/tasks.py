"""Celery tasks of digests. PostgreSQL records what is done, so each task may run twice."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from partnerships.digests.planning.choosing import announce_joined, reconcile
from partnerships.digests.planning.matches import find_new_matches
from partnerships.digests.retention import tidy
from partnerships.digests.services import UnableToReadMailbox, ask_post_contacts, read_new_mail
from partnerships.digests.services.sweep import run_in_parts
from partnerships.kit.operators import alert_operators
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import emails_recorded, wake_if_due


@shared_task(name="partnerships.digests.tasks.sweep")
def sweep() -> None:
    """Plan the digests that are due, and wake the senders after the first batch and at the end."""
    for batch_index, _chosen in enumerate(run_in_parts(now=timezone.now())):
        if batch_index == 0:
            emails_recorded.send(sender=Email, lanes={Lane.DIGEST})
    wake_if_due()


@shared_task(name="partnerships.digests.tasks.read_mailbox")
def read_mailbox() -> None:
    """Act on new bounces, requests to stop, replies and forwarded emails."""
    try:
        read_new_mail(now=timezone.now())
    except UnableToReadMailbox as error:
        alert_operators(
            "The mailbox for bounces and replies cannot be read",
            f"{error} EMAIL_MAILBOX_PATH must name a Maildir that the workers can read and write.",
            quiet=dt.timedelta(days=1),
        )


@shared_task(name="partnerships.digests.tasks.regularly")
def regularly() -> None:
    """Do the jobs that are due every hour.

    Apply role rules, announce plans that came under a followed record, find news that was left unsent, ask contacts of
    posts, find new matches, and delete old records.
    """
    now = timezone.now()
    announce_joined(now=now)
    reconcile(now=now)
    ask_post_contacts(now=now)
    find_new_matches(now=now)
    tidy(now=now)
