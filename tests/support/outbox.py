"""Send and read the emails in the outbox in tests."""

from __future__ import annotations

import re
from email.utils import parseaddr

from django.core import mail
from django.utils import timezone

from partnerships.outbox.draining import drain
from partnerships.outbox.models import Email, EmailStatus


def deliver() -> list[mail.EmailMessage]:
    """Send all due emails to Django's `mail.outbox`, and return it. Their `to` has addresses without names."""
    drain(seconds=120)
    for message in mail.outbox:
        message.to = [parseaddr(address)[1] for address in message.to]
    return mail.outbox


def parts(email: mail.EmailMessage) -> tuple[str, str]:
    """Return the text part and the HTML part of an email, each on one line."""
    assert isinstance(email, mail.EmailMultiAlternatives)
    text, html = (" ".join(str(part).split()) for part in (email.body, email.alternatives[0][0]))
    return text, html


def stop_address(email: mail.EmailMessage) -> str:
    """Return the path to which mail programs post one click on "Unsubscribe" (RFC 8058)."""
    match = re.fullmatch(
        r"<http://[^/]+(/\S+/)>,\s+<mailto:\S+\?subject=stop%20\S+>", email.extra_headers["List-Unsubscribe"]
    )
    assert match
    assert email.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return match[1]


def recorded(kind: str = "") -> list[Email]:
    """Return the emails in the outbox, of one kind or of all kinds, oldest first."""
    emails = Email.objects.order_by("created_at", "pk")
    return list(emails.filter(kind=kind) if kind else emails)


def drop_emails() -> None:
    """Drop queued emails, such as those of a test's set-up."""
    Email.objects.unsettled().update(status=EmailStatus.DROPPED, settled_at=timezone.now(), reason="Set-up of a test.")
