"""Sending account emails as soon as they are due, without a broker."""

from __future__ import annotations

import threading

import structlog
from django.db import Error, connections

from partnerships.kit.accounting import acting
from partnerships.outbox.claiming import is_due
from partnerships.outbox.draining import drain

CHECK_EVERY_SECONDS = 0.25
#: Without a database: slower, so as not to flood a restarting PostgreSQL with connections.
_OUTAGE_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


def send_until(stopping: threading.Event) -> None:
    """Send account emails until `stopping` is set."""
    while not stopping.is_set():
        pause = CHECK_EVERY_SECONDS
        try:
            if is_due(lanes="account"):
                with acting(job="account sender"):
                    drain(seconds=30, lanes="account")
        except Error as error:
            log.warning("account_sender_waits", kind=type(error).__name__)
            connections.close_all()
            pause = _OUTAGE_PAUSE_SECONDS
        stopping.wait(pause)
