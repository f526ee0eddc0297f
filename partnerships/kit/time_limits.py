"""A time limit for pure code, such as parsing a message from a stranger."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: How long parsing one incoming email may take. Usually it takes milliseconds.
MAX_PARSING_SECONDS = 20


class TookTooLong(Exception):
    """Raised in the block of a `time_limit` that did not end in time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` in this block after this many seconds.

    The block must not change any state or wait for anything. The limit works only in the main thread, as all signals
    do. In other threads, there is no limit. It cannot stop a call that never returns to Python.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TookTooLong(f"This took more than {seconds} seconds, so we stopped.")

    previous_handler = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
