"""Wakes a sender after emails were recorded.

If the message to the sender is lost, the sweep and the account sender find the emails.
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
    """Wake the senders of notices and digests after the commit.

    The account sender needs no signal, because it looks for its emails all the time.
    """
    if lanes - {Lane.ACCOUNT}:
        nudge_after_commit(wake)
