"""What must end when somebody leaves: rooms above register their part, one action runs them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody leaves: who says so, who takes over what they owed (None: their organisation's leads decide), why,
    when."""

    person: User
    author: User | None
    heir: User | None
    reason: str
    now: dt.datetime


#: Ends, or hands over, what the room holds for the person; returns how many things. Runs inside the transaction.
Hook = Callable[[Leaving], int]
_hooks: dict[str, Hook] = {}


def register_leaving(name: str, hook: Hook) -> None:
    """Say what must be done when somebody leaves, under a name that reads like "memberships ended"."""
    _hooks[name] = hook


def run_hooks(leaving: Leaving) -> dict[str, int]:
    """Do it all; how many things each hook ended or handed over."""
    return {name: hook(leaving) for name, hook in sorted(_hooks.items())}


def hook_names() -> tuple[str, ...]:
    """What happens when somebody leaves."""
    return tuple(sorted(_hooks))
