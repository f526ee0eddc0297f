"""Who above wants to know that a commitment moved: rooms register a listener, called inside the change's own
transaction.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from partnerships.commitments.models import Commitment
from partnerships.people.models import User


class Listener(Protocol):
    """Told of each change of status or progress, with the commitment's row locked and its new state saved.

    Runs in the transaction of the change, so that both stand or fall together. `author` is None for an import or a
    sweep.
    """

    def __call__(self, *, commitment: Commitment, author: User | None, now: dt.datetime) -> None: ...


_listeners: list[Listener] = []


def register_listener(listener: Listener) -> None:
    """Have `listener` called at each change of status or progress; registering it again changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell_listeners(*, commitment: Commitment, author: User | None, now: dt.datetime) -> None:
    """Tell everyone who registered; services call this after saving."""
    for listener in _listeners:
        listener(commitment=commitment, author=author, now=now)
