"""Hooks of rooms that end a person's rights, or pass on their work, when their account is closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Leaving:
    """An account that is being closed. Without a `successor`, the organisation's leads decide who takes over."""

    person: User
    author: User | None
    successor: User | None
    reason: str
    now: dt.datetime


#: Ends or passes on the person's rights and work in a room, and returns how many things. Runs inside the transaction.
Hook = Callable[[Leaving], int]
_hooks: dict[str, Hook] = {}


def register_leaving(name: str, hook: Hook) -> None:
    """Register a hook under a name that can follow its count, for example "memberships ended"."""
    _hooks[name] = hook


def run_hooks(leaving: Leaving) -> dict[str, int]:
    """Run every hook, and return how many things each ended or passed on."""
    return {name: hook(leaving) for name, hook in sorted(_hooks.items())}


def hook_names() -> tuple[str, ...]:
    """Return the names of all hooks, in alphabetical order."""
    return tuple(sorted(_hooks))
