"""Sends account emails as soon as they are due, without a broker."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from django.db import Error, connections

from partnerships.outbox.claiming import has_due_emails
from partnerships.outbox.drain_threads import DrainThreads

#: How often the account sender looks for emails.
CHECK_EVERY_SECONDS = 0.25
#: How long to wait while the database is down. A shorter wait would flood a restarting PostgreSQL with connections.
_OUTAGE_PAUSE_SECONDS = 1.0
#: After this many seconds an email waits in a separate thread, because the others must be sent within two seconds.
_PATIENCE_SECONDS = 0.4

log = structlog.get_logger(__name__)


def send_until(
    stopping: threading.Event,
    *,
    say_alive: Callable[[], None] = lambda: None,
    say_seen: Callable[[], None] = lambda: None,
) -> None:
    """Send account emails until `stopping` is set, then wait for the mail server's replies to emails already sent.

    `say_alive` is called many times a second, even while an email is claimed, sent or awaits its reply. `say_seen` may
    write to the database, so it is called only between emails.
    """

    def is_stopping() -> bool:
        say_alive()
        return stopping.is_set()

    threads = DrainThreads(lanes="account", patience=_PATIENCE_SECONDS, job="account sender")
    while not is_stopping():
        pause = CHECK_EVERY_SECONDS
        try:
            say_seen()
            if has_due_emails(lanes="account"):
                threads.run(seconds=30, is_stopping=is_stopping)
        except Error as error:
            log.warning("account_sender_waits", kind=type(error).__name__)
            connections.close_all()
            pause = _OUTAGE_PAUSE_SECONDS
        stopping.wait(pause)
    threads.finish()
