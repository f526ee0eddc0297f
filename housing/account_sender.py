"""The process that sends only account emails: `python -m housing.account_sender`.

It looks for account emails four times a second and needs no broker. So an email with a password reset or a code is sent
within a second or two, however many other emails are queued and however slowly the mail server accepts them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

import django
from django.core.exceptions import ImproperlyConfigured

from housing.notifying import EXIT_MISCONFIGURED, READY, at_most_every, notify, say_alive

_stopping = threading.Event()


def stop(signum: int, frame: FrameType | None) -> None:
    """Finish the current emails, then exit. This is a handler of signals."""
    _stopping.set()


def main() -> int:
    """Set up Django and send emails until a signal arrives. Returns the exit code."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    os.environ.setdefault("DATABASE_ROLE", "worker")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    try:
        django.setup()
    except ImproperlyConfigured as fault:
        sys.stderr.write(f"{fault}\n")
        return EXIT_MISCONFIGURED
    # These imports need Django to be set up.
    from housing.heartbeats import (  # noqa: PLC0415
        SEEN_EVERY_SECONDS,
        SENDER,
        forget,
        on_this_machine,
        record_heartbeat,
    )
    from partnerships.outbox.account_emails import send_until  # noqa: PLC0415

    notify(READY)
    heartbeat = on_this_machine(SENDER)
    send_until(
        _stopping,
        say_alive=at_most_every(5, say_alive),
        say_seen=at_most_every(SEEN_EVERY_SECONDS, lambda: record_heartbeat(heartbeat)),
    )
    forget(heartbeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
