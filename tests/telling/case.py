"""A row of the table: what to prepare, what to call, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.world import World

Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """Prepares the world and returns the call to make; `told` is who gets which email (a name, or nobody's)."""

    prepare: Callable[[World], Act]
    told: tuple[tuple[str, str], ...]


CASES: dict[str, Case] = {}


def case(*told: tuple[str, str]) -> Callable[[Callable[[World], Act]], Callable[[World], Act]]:
    """Add a row to the table."""

    def add(prepare: Callable[[World], Act]) -> Callable[[World], Act]:
        CASES[prepare.__name__] = Case(prepare, told)
        return prepare

    return add
