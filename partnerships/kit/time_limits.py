"""A time limit for pure code, such as parsing what strangers send."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: How long parsing one incoming email may take; usually it takes milliseconds.
MAX_PARSING_SECONDS = 20


class TookTooLong(Exception):
    """The code in a `time_limit` did not end in time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` in this block after this many seconds.

    For code that changes no state and waits for nothing. Like all signals it works only in the main thread, as in
    workers and commands; elsewhere there is no limit. It cannot stop a call that never returns to Python.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TookTooLong(f"It took more than {seconds} s.")

    previous_handler = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
