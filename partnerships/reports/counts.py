"""Counts of asks and commitments between an organisation and a partner, which can be added up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from partnerships.organisations.models import Organisation


@dataclass(slots=True)
class AskCounts:
    """The number of asks in one direction, and of their outcomes.

    `met` counts asks met by the organisation asked, `elsewhere` asks met by others, `outstanding` asks still open.
    """

    made: int = 0
    met: int = 0
    elsewhere: int = 0
    outstanding: int = 0

    @property
    def ended_unmet(self) -> int:
        """Return the number of asks that were declined or withdrawn, or that lapsed."""
        return self.made - self.met - self.elsewhere - self.outstanding

    def add(self, other: AskCounts) -> None:
        """Add the counts of `other` to these counts."""
        self.made += other.made
        self.met += other.met
        self.elsewhere += other.elsewhere
        self.outstanding += other.outstanding


@dataclass(slots=True)
class PromiseCounts:
    """The number of commitments that were agreed in one direction, and of those kept and broken.

    A commitment is broken if it is overdue, or if it was cancelled after both organisations agreed to it.
    """

    agreed: int = 0
    kept: int = 0
    broken: int = 0

    @property
    def outstanding(self) -> int:
        """Return the number of commitments that are agreed, not yet delivered and not late."""
        return self.agreed - self.kept - self.broken

    def add(self, other: PromiseCounts) -> None:
        """Add the counts of `other` to these counts."""
        self.agreed += other.agreed
        self.kept += other.kept
        self.broken += other.broken


@dataclass(slots=True)
class Balance:
    """Asks and commitments in both directions between an organisation and a partner."""

    partner: Organisation | None = None
    we_asked: AskCounts = field(default_factory=AskCounts)
    they_asked: AskCounts = field(default_factory=AskCounts)
    we_promised: PromiseCounts = field(default_factory=PromiseCounts)
    they_promised: PromiseCounts = field(default_factory=PromiseCounts)

    def add(self, other: Balance) -> None:
        """Add the counts of `other` to these counts, in both directions."""
        self.we_asked.add(other.we_asked)
        self.they_asked.add(other.they_asked)
        self.we_promised.add(other.we_promised)
        self.they_promised.add(other.they_promised)

    def add_asks(self, counts: AskCounts, *, we_asked: bool) -> None:
        """Add asks that we made to the partner, or that the partner made to us."""
        (self.we_asked if we_asked else self.they_asked).add(counts)

    def add_promises(self, counts: PromiseCounts, *, we_promised: bool) -> None:
        """Add commitments that we gave to the partner, or that the partner gave to us."""
        (self.we_promised if we_promised else self.they_promised).add(counts)

    @property
    def figures(self) -> tuple[int, ...]:
        """Return the ten figures of a row in the table of partners, in the order of its columns."""
        figures: list[int] = []
        for asked in (self.we_asked, self.they_asked):
            figures += (asked.made, asked.met, asked.outstanding)
        for promised in (self.we_promised, self.they_promised):
            figures += (promised.agreed, promised.kept)
        return tuple(figures)

    @property
    def is_empty(self) -> bool:
        """Return whether neither organisation has ever asked or promised the other anything."""
        counts = (self.we_asked.made, self.they_asked.made, self.we_promised.agreed, self.they_promised.agreed)
        return not any(counts)


@dataclass(frozen=True, slots=True)
class Quarter:
    """The asks that each organisation made in one quarter, and how many of these asks have been met by now."""

    label: str
    ours: AskCounts
    theirs: AskCounts


def quarter_label(day: dt.date) -> str:
    """Return the quarter of a day as partners write it: `Jul–Sep 2026`."""
    names = ("Jan–Mar", "Apr–Jun", "Jul–Sep", "Oct–Dec")
    return f"{names[(day.month - 1) // 3]} {day.year}"


def last_quarters(count: int, today: dt.date) -> list[str]:
    """Return the last `count` quarters, the oldest first."""
    # Quarters are numbered from the year 0, so that they can be counted across years.
    this_quarter = today.year * 4 + (today.month - 1) // 3
    quarters = range(this_quarter - count + 1, this_quarter + 1)
    return [quarter_label(dt.date(quarter // 4, quarter % 4 * 3 + 1, 1)) for quarter in quarters]
