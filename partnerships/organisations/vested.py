"""Hook for rooms that tell others of a succession which has taken effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from partnerships.organisations.models import Succession

#: Tells people of a succession. Runs once for each, inside the transaction, after everything accepted has passed on.
Hook = Callable[[Succession, dt.datetime], object]
_hooks: list[Hook] = []


def register_vested(hook: Hook) -> None:
    """Register a function that tells people whom only its room knows."""
    _hooks.append(hook)


def tell_others(succession: Succession, *, now: dt.datetime) -> None:
    """Run every registered function."""
    for hook in _hooks:
        hook(succession, now)
