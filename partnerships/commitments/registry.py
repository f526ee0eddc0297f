"""Lets other rooms react when the status or the progress of a commitment changes."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from partnerships.commitments.models import Commitment
from partnerships.people.models import User


class Listener(Protocol):
    """A function that is called after each change of status or progress.

    The commitment is locked and its new state saved. The call is in the transaction of the change, so both succeed or
    fail together. `author` is None for an import or a scheduled task.
    """

    def __call__(self, *, commitment: Commitment, author: User | None, now: dt.datetime) -> None: ...


_listeners: list[Listener] = []


def register_listener(listener: Listener) -> None:
    """Register a listener. Registering the same listener twice has no effect."""
    if listener not in _listeners:
        _listeners.append(listener)


def call_listeners(*, commitment: Commitment, author: User | None, now: dt.datetime) -> None:
    """Call every registered listener. Services call this after they have saved the commitment."""
    for listener in _listeners:
        listener(commitment=commitment, author=author, now=now)
