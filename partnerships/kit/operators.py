"""Telling the operators (`OPERATORS`) what the system cannot put right by itself: few emails, however many errors."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import time
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import mail_admins
from django.db import DatabaseError, InterfaceError, transaction

from partnerships.kit.masking import mask

log = structlog.get_logger(__name__)

#: One email about the same subject in this time, and so many about anything.
QUIET = dt.timedelta(hours=1)
MAX_ALERTS = 10

#: When each subject was last sent from this process, for use while the database is away.
_sent_here: dict[str, float] = {}
_lock = threading.Lock()


def alert_operators(subject: str, text: str) -> bool:
    """Email the operators unless they were told lately; whether an email is on its way.

    Never raises and never waits for the mail server. Addresses, tokens and values from the database are masked.
    """
    if not settings.ADMINS or not _may_send(subject):
        return False
    # For now straight to the mail server, also while the database is there.
    threading.Thread(target=_send, args=(mask(subject), mask(text)), name="alert").start()
    return True


def _may_send(subject: str) -> bool:
    """Whether neither this subject nor alerts in all are over their limit: counted for all processes together, or by
    this one while the database is away."""
    key = hashlib.sha256(subject.encode()).hexdigest()
    seconds = int(QUIET.total_seconds())
    try:
        with transaction.atomic():
            return cache.add(f"alert:{key}", 1, timeout=seconds) and any(
                cache.add(f"alert-slot:{slot}", 1, timeout=seconds) for slot in range(MAX_ALERTS)
            )
    except (DatabaseError, InterfaceError):
        return _may_send_from_here(key, seconds)


def _may_send_from_here(key: str, seconds: int) -> bool:
    now = time.monotonic()
    with _lock:
        for old in [one for one, at in _sent_here.items() if at <= now - seconds]:
            del _sent_here[old]
        if key in _sent_here or len(_sent_here) >= MAX_ALERTS:
            return False
        _sent_here[key] = now
    return True


def _send(subject: str, text: str) -> None:
    try:
        mail_admins(subject, text)
    except (OSError, SMTPException, ValueError) as error:
        log.warning("alert_not_sent", kind=type(error).__name__)
