"""Hook for what ends when somebody's account is closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Leaving:
    """An account being closed: author, who takes over, reason and time.

    Without somebody who takes over, the organisation's leads decide.
    """

    person: User
    author: User | None
    successor: User | None
    reason: str
    now: dt.datetime


#: Ends or passes on what a room holds for the person; returns how many things. Runs inside the transaction.
Hook = Callable[[Leaving], int]
_hooks: dict[str, Hook] = {}


def register_leaving(name: str, hook: Hook) -> None:
    """Register a function under a readable name ("memberships ended")."""
    _hooks[name] = hook


def run_hooks(leaving: Leaving) -> dict[str, int]:
    """Run every function; returns how many things each ended or passed on."""
    return {name: hook(leaving) for name, hook in sorted(_hooks.items())}


def hook_names() -> tuple[str, ...]:
    """The names of the registered functions."""
    return tuple(sorted(_hooks))
