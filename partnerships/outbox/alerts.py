"""Alerts to administrators of the server, sent as account emails by the outbox.

While the database is down, `kit.operators` sends alerts directly to the mail server.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from partnerships.outbox.composing import RenderedComposer
from partnerships.outbox.groups import FOR_OPERATORS, NoticeGroup
from partnerships.outbox.kinds import EmailKind, register_kind
from partnerships.outbox.models import Lane
from partnerships.outbox.services import record_email

#: The kind of email of these alerts.
ALERT = "outbox.alert"


def record_alert(subject: str, text: str) -> None:
    """Record an email to every address in ADMINS.

    This runs in a separate thread, so it opens a transaction and closes the thread's database connection.
    """
    try:
        with transaction.atomic():
            for _, address in settings.ADMINS:
                record_email(
                    kind=ALERT, address=address, secrets={"subject": subject, "text": text}, now=timezone.now()
                )
    finally:
        connection.close()


def register() -> None:
    """Register the kind of email of these alerts."""
    register_kind(
        EmailKind(
            code=ALERT,
            label="Alert to administrators of the server",
            lane=Lane.ACCOUNT,
            composer=RenderedComposer(),
            group=NoticeGroup.ACCOUNT,
            always=FOR_OPERATORS,
            is_secret=True,
        )
    )
