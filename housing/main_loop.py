"""Detect whether a worker's main thread hangs, by the ticks of Celery's event loop.

The loop receives tasks and their results. It ticks in each round, about once a second, even if there is nothing to do.
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

#: The loop hangs if it has not ticked for this many seconds. If the broker does not answer, a round takes up to seven
#: seconds for each task that just ended.
HANGING_SECONDS = 90.0


@dataclass
class _Ticks:
    """The time (`time.monotonic`) of the last tick, and whether the worker is waiting for the broker.

    `last` is None before the first tick.
    """

    last: float | None = None
    is_connecting: bool = False


_ticks = _Ticks()


def tick() -> None:
    """Record that the main thread is alive."""
    _ticks.last = time.monotonic()


def hangs() -> bool:
    """Return whether the last tick was too long ago.

    While the worker connects to its broker or stops, no ticks are expected.
    """
    if _ticks.last is None or _ticks.is_connecting or _is_stopping():
        return False
    return time.monotonic() - _ticks.last > HANGING_SECONDS


def is_connecting() -> bool:
    """Return whether the worker is trying to connect to its broker, and so receives no tasks."""
    return _ticks.is_connecting


def _is_stopping() -> bool:
    """Return whether the worker was asked to stop. Celery then stores an exit code, which may be 0."""
    codes: tuple[Any, ...] = (state.should_stop, state.should_terminate)
    return any(code is not None and code is not False for code in codes)


@contextmanager
def connecting() -> Iterator[None]:
    """Expect no ticks in this block, in which Celery tries to connect to the broker until it answers."""
    _ticks.is_connecting = True
    try:
        yield
    finally:
        if _ticks.last is not None:
            tick()
        _ticks.is_connecting = False


class TickStep(bootsteps.StartStopStep):
    """A step of the worker's start that adds the tick to Celery's loop.

    A transport without a loop, such as Celery's in memory, never hangs.
    """

    requires = (Hub,)

    def include_if(self, parent: Any) -> bool:
        """Return whether there is a loop."""
        return bool(parent.use_eventloop)

    def start(self, parent: Any) -> None:
        """Tick once before the loop starts, so that a hanging first round is detected."""
        tick()
        parent.hub.on_tick.add(tick)


class WatchedConsumer(Consumer):
    """Celery's consumer, which records while it is waiting for the broker."""

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, however long it takes."""
        with connecting():
            return super().ensure_connected(conn)
