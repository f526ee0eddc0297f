"""Hook for rooms above that react to a change of status or progress."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from partnerships.commitments.models import Commitment
from partnerships.people.models import User


class Listener(Protocol):
    """Called after each change of status or progress.

    The commitment is locked and its new state saved. Runs in the transaction of the change, so both succeed or fail
    together. `author` is None for an import or a sweep.
    """

    def __call__(self, *, commitment: Commitment, author: User | None, now: dt.datetime) -> None: ...


_listeners: list[Listener] = []


def register_listener(listener: Listener) -> None:
    """Call `listener` at each change of status or progress; idempotent."""
    if listener not in _listeners:
        _listeners.append(listener)


def call_listeners(*, commitment: Commitment, author: User | None, now: dt.datetime) -> None:
    """Call every registered listener; services do this after saving."""
    for listener in _listeners:
        listener(commitment=commitment, author=author, now=now)
