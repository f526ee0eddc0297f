"""Email alerts to the operators (the setting OPERATORS), limited in number however many errors happen."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
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

#: Operators get at most one alert about the same subject in this time.
QUIET = dt.timedelta(hours=1)
#: Limit of alerts about all subjects together in the time `QUIET`.
MAX_ALERTS = 10


@dataclass(frozen=True, slots=True)
class _SentAlert:
    """When this process sent an alert, and until when it sends no other alert about the same subject.

    Both are times of `time.monotonic`.
    """

    sent_at: float
    quiet_until: float


#: Alerts of this process by the hash of their subject. The limits apply to them only while the database is down.
_sent_here: dict[str, _SentAlert] = {}
_lock = threading.Lock()
_THREAD_NAME = "alert to operators"


def alert_operators(subject: str, text: str, *, quiet: dt.timedelta = QUIET) -> bool:
    """Email the operators, unless there was an alert about the subject within `quiet`, and return whether it did.

    Never raises and never waits for the mail server. Addresses, tokens and database values are masked.
    """
    if not settings.ADMINS or not _may_send(subject, quiet):
        return False
    threading.Thread(target=_send, args=(mask(subject), mask(text)), name=_THREAD_NAME, daemon=True).start()
    return True


def wait_for_alerts(*, seconds: float) -> None:
    """Wait until the alerts of this process are sent, but at most this time. Called before the process ends."""
    deadline = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.name == _THREAD_NAME:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))


def _may_send(subject: str, quiet: dt.timedelta) -> bool:
    """Count an alert about this subject if it is within both limits, and return whether it is.

    The limits are for all processes together, or for each process while the database is down or refuses writes.
    """
    subject_hash = hashlib.sha256(subject.encode()).hexdigest()
    try:
        with transaction.atomic():
            if not _claim(f"alert:{subject_hash}", quiet):
                return False
            if any(_claim(f"alert-slot:{slot}", QUIET) for slot in range(MAX_ALERTS)):
                return True
            cache.delete(f"alert:{subject_hash}")  # this alert is not sent, so the next one need only wait for a slot
            return False
    except (DatabaseError, InterfaceError):
        return _may_send_from_here(subject_hash, quiet.total_seconds())


def _claim(key: str, duration: dt.timedelta) -> bool:
    """Claim a key of the cache for this time. Returns False if it is already claimed.

    Raises `DatabaseError` if the cache cannot be written, in which case Django's `cache.add` also returns False.
    """
    if cache.add(key, 1, timeout=duration.total_seconds()):
        return True
    if cache.get(key) is None:
        raise DatabaseError("The database accepts no changes.")
    return False


def _may_send_from_here(subject_hash: str, quiet_seconds: float) -> bool:
    """Count an alert if it is within the limits for this process alone, and return whether it is."""
    now = time.monotonic()
    hour_ago = now - QUIET.total_seconds()
    with _lock:
        for key, alert in list(_sent_here.items()):
            if alert.sent_at <= hour_ago and alert.quiet_until <= now:
                del _sent_here[key]
        earlier_alert = _sent_here.get(subject_hash)
        if earlier_alert is not None and earlier_alert.quiet_until > now:
            return False
        if sum(alert.sent_at > hour_ago for alert in _sent_here.values()) >= MAX_ALERTS:
            return False
        _sent_here[subject_hash] = _SentAlert(sent_at=now, quiet_until=now + quiet_seconds)
    return True


#: A function that sends an alert, given its subject and its text.
Channel: TypeAlias = Callable[[str, str], None]

_channels: list[Channel] = []


def register_channel(channel: Channel) -> None:
    """Register a function that sends alerts.

    If a channel raises a database error, the alert is sent to the mail server directly.
    """
    _channels.append(channel)


class _SmtpBackend(EmailBackend):
    """Django's SMTP backend, with our checks of the server's certificate."""

    @property
    def ssl_context(self) -> ssl.SSLContext:
        return tls_context()


def _connection() -> BaseEmailBackend:
    """Return the backend of the EMAIL settings, with our checks of the certificate if it is SMTP."""
    backend = get_connection()
    return _SmtpBackend() if type(backend) is EmailBackend else backend


def _send(subject: str, text: str) -> None:
    """Send an alert by all channels. If there is none, or one fails, send it to the mail server directly."""
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
