"""Hooks that hand over a person's work when their membership ends, one for each room with such work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.organisations.models import Membership
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Departure:
    """A membership that is ending, and the colleague who takes over the work.

    `successor` is None if the leads decide later.
    """

    membership: Membership
    successor: User | None
    author: User | None
    now: dt.datetime


#: A function that hands over a person's work in one room, and returns the number of items. It is called in the
#: transaction that ends the membership, before the membership ends.
Hook = Callable[[Departure], int]
_hooks: list[Hook] = []


def register_departure(hook: Hook) -> None:
    """Register a room's function that hands over work."""
    _hooks.append(hook)


def hand_over_work(departure: Departure) -> int:
    """Call every registered hook and return how many items they handed over."""
    return sum(hook(departure) for hook in _hooks)
