"""Hooks with which other rooms email people about a succession that has taken effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from partnerships.organisations.models import Succession


class VestingHook(Protocol):
    """A function that emails a room's people about the successions of one order.

    It is called once for each order, in the transaction, after all accepted records have passed on. If more records
    pass on later, it is called again with `is_later`.
    """

    def __call__(self, successions: Sequence[Succession], /, *, is_later: bool, now: dt.datetime) -> object: ...


_hooks: list[VestingHook] = []


def register_vesting_hook(hook: VestingHook) -> None:
    """Register a function that emails the people of its room, for example followers."""
    _hooks.append(hook)


def run_vesting_hooks(successions: Sequence[Succession], *, is_later: bool, now: dt.datetime) -> None:
    """Call every registered function with the successions of one order."""
    for hook in _hooks:
        hook(successions, is_later=is_later, now=now)
