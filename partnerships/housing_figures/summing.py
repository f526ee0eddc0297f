"""What a figure of an area is, from its own rows or from those of the areas before it.

Figures of predecessors are added, and never one of them taken. What cannot be added is not: a value of a joint plan,
or a predecessor without a value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from partnerships.housing_figures.measures import Status

#: From the firmest to the least firm: a sum is as firm as its least firm part.
_FIRMNESS = (Status.PUBLISHED, Status.REVISED, Status.PROVISIONAL)


class Basis(StrEnum):
    """Where a value comes from, or why there is none."""

    OWN = "own"
    PARTS = "parts"
    PREDECESSORS = "predecessors"
    JOINT = "joint"
    INCOMPLETE = "incomplete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Part:
    """One row of a dataset."""

    value: Decimal | None
    status: str = Status.PUBLISHED
    is_joint: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What the datasets say of an area: a value with its basis, or words.

    `names` are the areas before whose values are in it; of an incomplete one, those without a value.
    """

    value: Decimal | None
    basis: Basis
    status: str = Status.PUBLISHED
    names: tuple[str, ...] = ()
    words: str = ""

    @property
    def note(self) -> str:
        """What a reader must know about the value; "" if it is simply published."""
        return "; ".join(part for part in (self.origin, self.firmness) if part)

    @property
    def firmness(self) -> str:
        """`provisional` or `revised`; "" if it is neither."""
        return {Status.PROVISIONAL: "provisional", Status.REVISED: "revised"}.get(Status(self.status), "")

    @property
    def origin(self) -> str:
        """Whose rows are in the value, or why there is none. "" if it is one row of the area's own."""
        return {
            Basis.PARTS: "sum of several rows of the table",
            Basis.PREDECESSORS: f"sum of {_listed(self.names)}",
            Basis.JOINT: "of the whole area of a joint plan",
            Basis.INCOMPLETE: f"no sum: nothing is published for {_listed(self.names)}",
        }.get(self.basis, "")


@dataclass(frozen=True, slots=True)
class Required:
    """What a plan requires of an area, in its period or each year; at least, where it says a range."""

    first_year: int
    last_year: int
    value: Decimal | None
    is_a_year: bool = False
    is_joint: bool = False
    adopted_on: dt.date | None = None

    @property
    def a_year(self) -> Decimal | None:
        """Homes a year: those of the period, divided by its years."""
        if self.value is None or self.is_a_year:
            return self.value
        return self.value / max(self.last_year - self.first_year, 1)


def required_a_year(plans: Iterable[Required], year: int) -> list[Part]:
    """The requirement that counts in a year, as rows of one area.

    None without an adopted plan. Of the adopted plans whose period has the year, the one adopted last; else the one
    adopted last of all.
    """
    adopted = [plan for plan in plans if plan.adopted_on is not None]
    current = [plan for plan in adopted if plan.first_year <= year < plan.last_year] or adopted
    if not current:
        return []
    chosen = max(current, key=lambda plan: plan.adopted_on or dt.date.min)
    return [Part(chosen.a_year, is_joint=chosen.is_joint)]


NOTHING = Said(None, Basis.NONE, Status.NOT_PUBLISHED)


def said_of(own: Sequence[Part], before: Mapping[str, Said]) -> Said:
    """The figure of an area from its own rows, else from the figures of the areas before it, by name."""
    if own and all(part.value is not None and not part.is_joint for part in own):
        return Said(_sum(own), Basis.PARTS if len(own) > 1 else Basis.OWN, _least_firm(part.status for part in own))
    joint = [part for part in own if part.is_joint and part.value is not None]
    if joint:
        return Said(joint[0].value, Basis.JOINT, joint[0].status)
    if any(part.value is not None for part in own):
        return Said(None, Basis.INCOMPLETE, Status.NOT_PUBLISHED, ("a part of it",))
    if worded := next((part for part in own if part.words), None):
        return Said(None, Basis.OWN, worded.status, words=worded.words)
    return _of_predecessors(dict(sorted(before.items()))) or (Said(None, Basis.NONE, own[0].status) if own else NOTHING)


def _of_predecessors(before: Mapping[str, Said]) -> Said | None:
    if any(said.words for said in before.values()):
        words = "; ".join(f"{name}: {said.words}" for name, said in before.items() if said.words)
        return Said(value=None, basis=Basis.PREDECESSORS, status=Status.PUBLISHED, names=tuple(before), words=words)
    if all(said.value is None and said.basis != Basis.INCOMPLETE for said in before.values()):
        return None
    lacking = [name for name, said in before.items() if said.value is None or said.basis == Basis.JOINT]
    if lacking:
        return Said(None, Basis.INCOMPLETE, Status.NOT_PUBLISHED, tuple(lacking))
    added = [one for name, said in before.items() for one in (said.names or (name,))]
    values = (said.value for said in before.values() if said.value is not None)
    statuses = (said.status for said in before.values())
    return Said(sum(values, Decimal(0)), Basis.PREDECESSORS, _least_firm(statuses), tuple(added))


def _sum(parts: Sequence[Part]) -> Decimal:
    return sum((part.value for part in parts if part.value is not None), Decimal(0))


def _least_firm(statuses: Iterable[str]) -> str:
    return max(statuses, key=lambda status: _FIRMNESS.index(Status(status)))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
