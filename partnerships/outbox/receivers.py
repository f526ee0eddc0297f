"""Wakes a sender after commit.

The sweep and the account sender find emails if a nudge is lost.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from partnerships.kit.nudging import nudge_after_commit
from partnerships.outbox.models import Lane
from partnerships.outbox.services import emails_recorded
from partnerships.outbox.tasks import wake


@receiver(emails_recorded, dispatch_uid="outbox.emails_recorded")
def on_emails_recorded(sender: Any, lanes: set[Lane], **kwargs: Any) -> None:
    """Nudge after commit; the account sender polls several times a second."""
    if lanes - {Lane.ACCOUNT}:
        nudge_after_commit(wake)
