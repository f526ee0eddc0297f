"""Alerts to the operators (`OPERATORS`), few however many errors occur."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import threading
import time
from collections.abc import Callable
from smtplib import SMTPException
from typing import TypeAlias

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection, mail_admins
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.db import DatabaseError, InterfaceError, transaction

from partnerships.kit.mail_tls import tls_context
from partnerships.kit.masking import mask

log = structlog.get_logger(__name__)

#: Operators get at most one alert about a subject in this time.
QUIET = dt.timedelta(hours=1)
#: Alerts about all subjects in the same time.
MAX_ALERTS = 10

#: When this process sent each subject and until when it is quiet about it, for use while the database is down.
_sent_here: dict[str, tuple[float, float]] = {}
_lock = threading.Lock()
_THREAD = "alert to operators"


def alert_operators(subject: str, text: str, *, quiet: dt.timedelta = QUIET) -> bool:
    """Email the operators, at most once within `quiet`; whether it is sent.

    Never raises and never waits for the mail server. Addresses, tokens and database values are masked.
    """
    if not settings.ADMINS or not _may_send(subject, quiet):
        return False
    threading.Thread(target=_send, args=(mask(subject), mask(text)), name=_THREAD, daemon=True).start()
    return True


def wait_for_alerts(*, seconds: float) -> None:
    """Wait for alerts to be sent before a process ends, up to this time."""
    end = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.name == _THREAD:
            thread.join(timeout=max(0.0, end - time.monotonic()))


def _may_send(subject: str, quiet: dt.timedelta) -> bool:
    """Whether this subject and alerts in all are within their limits.

    Counted for all processes together, or for this one while the database is down or takes no writes.
    """
    key = hashlib.sha256(subject.encode()).hexdigest()
    try:
        with transaction.atomic():
            if not _take(f"alert:{key}", quiet):
                return False
            if any(_take(f"alert-slot:{slot}", QUIET) for slot in range(MAX_ALERTS)):
                return True
            cache.delete(f"alert:{key}")  # not sent, so it may be sent as soon as there is room
            return False
    except (DatabaseError, InterfaceError):
        return _may_send_from_here(key, quiet.total_seconds())


def _take(key: str, stretch: dt.timedelta) -> bool:
    """Take a key that is free; whether it was.

    Raises `DatabaseError` if it could not be written, which Django's cache does not tell from a taken one.
    """
    if cache.add(key, 1, timeout=stretch.total_seconds()):
        return True
    if cache.get(key) is None:
        raise DatabaseError("The database takes no writes.")
    return False


def _may_send_from_here(key: str, seconds: float) -> bool:
    now = time.monotonic()
    with _lock:
        hour_ago = now - QUIET.total_seconds()
        for old in [one for one, (at, until) in _sent_here.items() if at <= hour_ago and until <= now]:
            del _sent_here[old]
        if key in _sent_here and _sent_here[key][1] > now:
            return False
        if sum(at > hour_ago for at, _until in _sent_here.values()) >= MAX_ALERTS:
            return False
        _sent_here[key] = now, now + seconds
    return True


Channel: TypeAlias = Callable[[str, str], None]

_channels: list[Channel] = []


def register_channel(channel: Channel) -> None:
    """Send alerts through this function.

    They go straight to the mail server if it finds no database.
    """
    _channels.append(channel)


class _SmtpBackend(EmailBackend):
    """Django's SMTP backend, with our checks of the server's certificate."""

    @property
    def ssl_context(self) -> ssl.SSLContext:
        return tls_context()


def _connection() -> BaseEmailBackend:
    """The backend chosen by the EMAIL settings."""
    backend = get_connection()
    return _SmtpBackend() if type(backend) is EmailBackend else backend


def _send(subject: str, text: str) -> None:
    try:
        for channel in _channels:
            channel(subject, text)
        if _channels:
            return
    except (DatabaseError, InterfaceError) as error:
        log.warning("alert_not_recorded", kind=type(error).__name__)
    try:
        mail_admins(subject, text, connection=_connection())
    except (OSError, SMTPException, ValueError) as error:
        log.warning("alert_not_sent", kind=type(error).__name__)
