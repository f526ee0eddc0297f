"""Wakes a sender after commit.

The sweep and the account sender find emails if a nudge is lost.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction
from django.dispatch import receiver

from partnerships.outbox.models import Lane
from partnerships.outbox.services import emails_recorded
from partnerships.outbox.tasks import wake

log = structlog.get_logger(__name__)


@receiver(emails_recorded, dispatch_uid="outbox.emails_recorded")
def on_emails_recorded(sender: Any, lanes: set[Lane], **kwargs: Any) -> None:
    """Nudge after commit; the account sender polls several times a second."""
    if lanes - {Lane.ACCOUNT}:
        transaction.on_commit(nudge, robust=True)


def nudge() -> None:
    """Wake a sender, if the broker is up."""
    try:
        wake()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the broker, the sweep finds the email
        log.warning("nudge_lost", kind=type(error).__name__)
