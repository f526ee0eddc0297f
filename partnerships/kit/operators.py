"""Telling the operators (`OPERATORS`) what the system cannot put right by itself: few emails, however many errors."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import time
from collections.abc import Callable
from smtplib import SMTPException
from typing import TypeAlias

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import mail_admins
from django.db import DatabaseError, InterfaceError, transaction

from partnerships.kit.masking import mask

log = structlog.get_logger(__name__)

#: At most one email about the same subject in this time, and at most `MAX_ALERTS` about anything.
QUIET = dt.timedelta(hours=1)
MAX_ALERTS = 10

#: When each subject was last sent from this process, for use while the database is away.
_sent_here: dict[str, float] = {}
_lock = threading.Lock()
_THREAD = "alert to operators"


def alert_operators(subject: str, text: str, *, quiet: dt.timedelta = QUIET) -> bool:
    """Email the operators unless they were told of this within `quiet`; whether an email is on its way.

    Never raises and never waits for the mail server. Addresses, tokens and values from the database are masked.
    """
    if not settings.ADMINS or not _may_send(subject, quiet):
        return False
    threading.Thread(target=_send, args=(mask(subject), mask(text)), name=_THREAD, daemon=True).start()
    return True


def wait_for_alerts(*, seconds: float) -> None:
    """Before a process ends: let emails to the operators leave, but no longer than this."""
    end = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.name == _THREAD:
            thread.join(timeout=max(0.0, end - time.monotonic()))


def _may_send(subject: str, quiet: dt.timedelta) -> bool:
    """Whether neither this subject nor alerts in all are over their limit: counted for all processes together, or by
    this one while the database is away."""
    key = hashlib.sha256(subject.encode()).hexdigest()
    try:
        with transaction.atomic():
            return cache.add(f"alert:{key}", 1, timeout=quiet.total_seconds()) and any(
                cache.add(f"alert-slot:{slot}", 1, timeout=QUIET.total_seconds()) for slot in range(MAX_ALERTS)
            )
    except (DatabaseError, InterfaceError):
        return _may_send_from_here(key, quiet.total_seconds())


def _may_send_from_here(key: str, seconds: float) -> bool:
    now = time.monotonic()
    with _lock:
        for old in [one for one, at in _sent_here.items() if at <= now - seconds]:
            del _sent_here[old]
        if key in _sent_here or len(_sent_here) >= MAX_ALERTS:
            return False
        _sent_here[key] = now
    return True


Channel: TypeAlias = Callable[[str, str], None]

_channels: list[Channel] = []


def register_channel(channel: Channel) -> None:
    """Have alerts sent by this; straight to the mail server only where it finds no database."""
    _channels.append(channel)


def _send(subject: str, text: str) -> None:
    try:
        for channel in _channels:
            channel(subject, text)
        if _channels:
            return
    except (DatabaseError, InterfaceError) as error:
        log.warning("alert_not_recorded", kind=type(error).__name__)
    try:
        mail_admins(subject, text)
    except (OSError, SMTPException, ValueError) as error:
        log.warning("alert_not_sent", kind=type(error).__name__)
