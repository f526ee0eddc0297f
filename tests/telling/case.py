"""A row of the table of emails, with what to prepare, what to call, and who gets which email."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.world import World

Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """A call that causes emails.

    `prepare` changes the world and returns the call. `told` has a pair for each email, with its kind and the name of
    its recipient, such as `("people.new_sign_in", "eddie")`.
    """

    prepare: Callable[[World], Act]
    told: tuple[tuple[str, str], ...]


CASES: dict[str, Case] = {}


def case(*told: tuple[str, str]) -> Callable[[Callable[[World], Act]], Callable[[World], Act]]:
    """Add a row to the table."""

    def add(prepare: Callable[[World], Act]) -> Callable[[World], Act]:
        CASES[prepare.__name__] = Case(prepare, told)
        return prepare

    return add
