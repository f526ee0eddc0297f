"""What must be settled when somebody stops acting for an organisation: rooms above register their part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.organisations.models import Membership
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Departure:
    """A membership ends: who takes over what the person owed for the organisation (None: its leads decide)."""

    membership: Membership
    heir: User | None
    author: User | None
    now: dt.datetime


#: Settles what the room holds; returns how many things. Runs inside the transaction, while the membership still holds.
Hook = Callable[[Departure], int]
_hooks: list[Hook] = []


def register_departure(hook: Hook) -> None:
    """Say what must be settled when a membership ends."""
    _hooks.append(hook)


def settle(departure: Departure) -> int:
    """Settle everything; how many things that were."""
    return sum(hook(departure) for hook in _hooks)
