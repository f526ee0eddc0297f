"""Hooks of rooms that hand over a person's work when their membership ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.organisations.models import Membership
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Departure:
    """An ending membership and the colleague who takes over; None if the leads decide later."""

    membership: Membership
    successor: User | None
    author: User | None
    now: dt.datetime


#: Hands over a person's work in a room, and returns how many things. Runs in the transaction that ends the membership,
#: before it ends.
Hook = Callable[[Departure], int]
_hooks: list[Hook] = []


def register_departure(hook: Hook) -> None:
    """Register the function of a room."""
    _hooks.append(hook)


def settle(departure: Departure) -> int:
    """Run every registered function; returns how many things were handed over."""
    return sum(hook(departure) for hook in _hooks)
