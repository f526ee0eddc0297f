"""Whether a worker's main thread still goes round Celery's loop, which takes tasks and their results.

The loop ticks at each round: about once a second, also when nothing waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import bootsteps
from celery.worker import state
from celery.worker.components import Hub
from celery.worker.consumer import Consumer

#: A round is longer than usual when a broker does not answer, up to seven seconds for each task that just ended.
HANGING_SECONDS = 90.0


@dataclass
class _Ticks:
    last: float | None = None
    is_connecting: bool = False


_ticks = _Ticks()


def tick() -> None:
    """Record that the main thread moves."""
    _ticks.last = time.monotonic()


def hangs() -> bool:
    """Whether the last tick was too long ago.

    While the broker is away and while the worker stops, there need be none.
    """
    if _ticks.last is None or _ticks.is_connecting or _is_stopping():
        return False
    return time.monotonic() - _ticks.last > HANGING_SECONDS


def is_connecting() -> bool:
    """Whether the worker looks for its broker, and so takes no tasks."""
    return _ticks.is_connecting


def _is_stopping() -> bool:
    """Whether the worker was asked to stop; Celery keeps an exit code then, which may be 0."""
    codes: tuple[Any, ...] = (state.should_stop, state.should_terminate)
    return any(code is not None and code is not False for code in codes)


@contextmanager
def connecting() -> Iterator[None]:
    """Celery connects to the broker, again and again until it is back."""
    _ticks.is_connecting = True
    try:
        yield
    finally:
        if _ticks.last is not None:
            tick()
        _ticks.is_connecting = False


class TickStep(bootsteps.StartStopStep):
    """Lets the loop tick. A transport without a loop, as in memory, has no ticks and never hangs."""

    requires = (Hub,)

    def include_if(self, parent: Any) -> bool:
        """Whether there is a loop."""
        return bool(parent.use_eventloop)

    def start(self, parent: Any) -> None:
        """Begin with a tick, so that a loop that hangs in its first round is noticed."""
        tick()
        parent.hub.on_tick.add(tick)


class WatchedConsumer(Consumer):
    """Celery's consumer, which says when it waits for the broker."""

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, however long it takes."""
        with connecting():
            return super().ensure_connected(conn)
