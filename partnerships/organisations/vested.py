"""Hooks of rooms that email people about a succession that has taken effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from partnerships.organisations.models import Succession


class Hook(Protocol):
    """Emails people about the successions of one order.

    Runs in the transaction, after everything accepted has passed on: once for each order, and again with `is_later`
    when more has passed on since.
    """

    def __call__(self, successions: Sequence[Succession], /, *, is_later: bool, now: dt.datetime) -> object: ...


_hooks: list[Hook] = []


def register_vested(hook: Hook) -> None:
    """Register a function that emails the people of its room, for example followers."""
    _hooks.append(hook)


def tell_others(successions: Sequence[Succession], *, is_later: bool, now: dt.datetime) -> None:
    """Run every registered function."""
    for hook in _hooks:
        hook(successions, is_later=is_later, now=now)
