"""Hook for rooms that can say what a party did in a period.

Progress reports show these figures and keep them as they were on the day of submission. Every present party reads a
report: a room gives only what all of them may read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from partnerships.agreements.models import Party


@dataclass(frozen=True, slots=True)
class Line:
    """One thing, such as a commitment: its words, its figure, and the path of its page, or "" without one."""

    words: str
    figure: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """The figures of one room: a heading, a summary in one sentence, and the things behind it."""

    heading: str
    summary: str
    lines: Sequence[Line] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: a party, its half-open period [start, end), and today."""

    party: Party
    start: dt.date
    end: dt.date
    today: dt.date

    def covers(self, day: dt.date | None) -> bool:
        """Return whether the day is in the period."""
        return day is not None and self.start <= day < self.end


_rooms: dict[str, Callable[[Asked], Block | None]] = {}


def register_figures(name: str, build: Callable[[Asked], Block | None]) -> None:
    """Register a room's figures; blocks are sorted by name."""
    _rooms[name] = build


def figures_of(period: Asked) -> list[dict[str, Any]]:
    """Return the blocks of all rooms that have something to say, as plain data that can be stored."""
    built = (_rooms[name](period) for name in sorted(_rooms))
    return [asdict(block) for block in built if block is not None]
