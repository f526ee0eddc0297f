"""Hook for what must be settled when a membership ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.organisations.models import Membership
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Departure:
    """An ending membership and the colleague who takes over.

    None: the organisation's leads decide who takes over.
    """

    membership: Membership
    successor: User | None
    author: User | None
    now: dt.datetime


#: Settles what a room holds; returns how many things. Runs inside the transaction, before the membership ends.
Hook = Callable[[Departure], int]
_hooks: list[Hook] = []


def register_departure(hook: Hook) -> None:
    """Register a function that settles a room's part."""
    _hooks.append(hook)


def settle(departure: Departure) -> int:
    """Run every registered function; returns how many things were settled."""
    return sum(hook(departure) for hook in _hooks)
