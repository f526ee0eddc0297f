"""The sender reserved for account emails: `python -m housing.account_sender`.

It needs no broker: it looks several times a second whether an account email is due, so that a reset or a code leaves
within a second or two, whatever else is queued and however slow the mail server is with everything else.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

import django
import structlog
from django.db import Error, connections

LOOK_EVERY_SECONDS = 0.25
#: After this long without a database, so that a restart of PostgreSQL is not met by a storm of connections.
_PAUSE_SECONDS = 1.0

_stopping = threading.Event()


def stop(number: int, frame: FrameType | None) -> None:
    """Finish what is being sent, and end."""
    _stopping.set()


def work() -> None:
    """Send account emails as they come, until a signal ends it."""
    from partnerships.kit.accounting import acting  # noqa: PLC0415 - Django is set up by then
    from partnerships.outbox.claiming import is_due  # noqa: PLC0415 - the same
    from partnerships.outbox.draining import drain  # noqa: PLC0415 - the same

    log = structlog.get_logger(__name__)
    while not _stopping.is_set():
        pause = LOOK_EVERY_SECONDS
        try:
            if is_due(lanes="account"):
                with acting(job="account sender"):
                    drain(seconds=30, lanes="account")
        except Error as error:
            log.warning("account_sender_waits", kind=type(error).__name__)
            connections.close_all()
            pause = _PAUSE_SECONDS
        _stopping.wait(pause)


def main() -> int:
    """Work until a signal ends it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    os.environ.setdefault("DATABASE_ROLE", "worker")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    django.setup()
    work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
