"""Hook through which other rooms add figures about a party to its progress report for a period.

A report stores the figures of the day on which it is submitted. People of every present party may read it, so a room
returns only figures that all of them may read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from partnerships.agreements.models import Party


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One record behind a figure, for example a commitment. `path` is its page ("" if it has none)."""

    words: str
    figure: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """The figures of one room, with a summary in one sentence, and the records behind them."""

    heading: str
    summary: str
    lines: Sequence[FigureLine] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """The party and the period of a progress report. `end` is the first day after the period."""

    party: Party
    start: dt.date
    end: dt.date
    today: dt.date

    def covers(self, day: dt.date | None) -> bool:
        """Return whether the day is in the period."""
        return day is not None and self.start <= day < self.end


#: Returns a block of figures for a period; None if there is nothing to count.
BuildBlock = Callable[[ReportPeriod], FigureBlock | None]


@dataclass(frozen=True, slots=True)
class _Source:
    """A function of a room that builds a block, and the place of the block in a report."""

    build: BuildBlock
    order: int


_source_by_name: dict[str, _Source] = {}


def register_figures(name: str, build: BuildBlock, *, order: int) -> None:
    """Register a block of figures. Reports show the blocks of all rooms by `order`, lowest first."""
    _source_by_name[name] = _Source(build=build, order=order)


def figures_of(period: ReportPeriod) -> list[dict[str, Any]]:
    """Return the blocks of all rooms that have figures, as plain data that can be stored."""
    sources = sorted(_source_by_name.values(), key=lambda source: source.order)
    blocks = [source.build(period) for source in sources]
    return [asdict(block) for block in blocks if block is not None]
