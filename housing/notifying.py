"""Notify systemd, or `make run`, that a process is ready and alive, by the protocol of sd_notify(3)."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable

READY = "READY=1"
ALIVE = "WATCHDOG=1"
#: Exit codes of sysexits.h, which systemd shows by name. After EXIT_MISCONFIGURED a unit is not started again.
EXIT_STALLED = 75
EXIT_MISCONFIGURED = 78


def notify(message: str) -> None:
    """Send a message to the supervisor that started this process, if it listens (NOTIFY_SOCKET)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract socket of Linux, which is not a file
    # A supervisor that has ended or is busy must not stop the work.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(1)
        sender.sendto(message.encode(), address)


def say_alive() -> None:
    """Notify the supervisor that this process is alive."""
    notify(ALIVE)


def at_most_every(seconds: float, function: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls `function`, but at most once in this many seconds."""
    called_at: float | None = None

    def call() -> None:
        nonlocal called_at
        if called_at is None or time.monotonic() - called_at >= seconds:
            called_at = time.monotonic()
            function()

    return call
