"""Hooks that end a person's rights or hand over their work when the account is closed, one for each room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Leaving:
    """An account that is being closed. If `successor` is None, the organisation's leads decide who takes over."""

    person: User
    author: User | None
    successor: User | None
    reason: str
    now: dt.datetime


#: A function that ends the person's rights or hands over their work in one room, and returns the number of items. It is
#: called inside the transaction that closes the account.
Hook = Callable[[Leaving], int]
_hooks: dict[str, Hook] = {}
#: What each hook does, by its name, in words that continue the sentence “When you close the account, we …”.
_consequences: dict[str, str] = {}


def register_leaving(name: str, hook: Hook, *, consequence: str) -> None:
    """Register a hook under a name that makes sense after its count, for example “memberships ended”.

    The consequence says what the hook does, for the page on which the account is closed, for example “end their roles”.
    """
    _hooks[name] = hook
    _consequences[name] = consequence


def run_leaving_hooks(leaving: Leaving) -> dict[str, int]:
    """Call every hook, and return the number of items that each hook ended or passed on, by its name."""
    return {name: hook(leaving) for name, hook in sorted(_hooks.items())}


def consequences_of_leaving() -> tuple[str, ...]:
    """Return what all hooks do, in the order in which they are called."""
    return tuple(_consequences[name] for name in sorted(_hooks))
