"""Who is responsible for a function of a body on a day: the rules, without Django.

Whatever bodies become, every function of a body stays with somebody, in parts that add up to 1, or with nobody. Each
part belongs to one body, or to several jointly where an order does not say how they divide it. See docs/successions.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from partnerships.kit.dates import PartialDate

#: Stands for nobody among the bodies that hold a part.
NOBODY = 0
#: Roles that answer after vesting; of several in one function, only the strongest (lowest) counts.
STRENGTH = {"successor": 0, "continuing": 0, "caretaker": 1, "hosting": 2}
#: Parts of a function by the bodies that hold each; together 1.
Parts = Mapping[frozenset[int], Fraction]


class Reason(StrEnum):
    """Why no single body answers."""

    NOT_YET = "not_yet"
    DAY_UNKNOWN = "day_unknown"
    NOBODY = "nobody"
    DIVIDED = "divided"


@dataclass(frozen=True, slots=True)
class Tie:
    """One body follows another; `NOBODY` where nobody does.

    `function` is empty for every function that no other tie of the predecessor names.
    """

    predecessor: int
    successor: int
    role: str = "successor"
    function: str = ""
    share: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A succession that acts by itself: neither proposed nor cancelled.

    `number` orders those of one day; an undoing step has a higher one than what it undoes. `vests` None is an unknown
    day of the past. After a step that does not `end` its predecessors they keep what no tie names; after one that
    `divides` them they also keep what no share gives away. In a step that `undoes` another, a body that continues keeps
    what was its own: what the other step brought it is not counted any more.
    """

    number: int
    vests: PartialDate | None
    ties: tuple[Tie, ...]
    ends: bool = True
    divides: bool = False
    undoes: int | None = None

    @property
    def order(self) -> tuple[dt.date, dt.date, int]:
        """A key by which steps are sorted."""
        if self.vests is None:
            return dt.date.min, dt.date.min, self.number
        return self.vests.earliest, self.vests.latest, self.number


@dataclass(frozen=True, slots=True)
class Life:
    """The days of a body, [start, end); None is open.

    `end` only where no succession ended it: steps say the rest.
    """

    start: dt.date | None = None
    end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The one body that answers, or the reason why none does.

    `parts` says who holds how much; it has a body for a reader to ask where the answer is a reason.
    """

    parts: Parts
    body: int | None = None
    reason: Reason | None = None


def who_answers(
    *, function: str, body: int, day: dt.date, steps: Collection[Step], lives: Mapping[int, Life] | None = None
) -> Answer:
    """Return who is responsible on a day for a function that belonged to this body.

    Exactly one of `body` and `reason` is set. `lives` holds the days of bodies where they are known.
    """
    known = lives or {}
    start = known.get(body, Life()).start
    if start is not None and day < start:
        return Answer({frozenset({body}): Fraction(1)}, reason=Reason.NOT_YET)
    past = [step for step in steps if step.vests is None or step.vests.latest <= day]
    parts = parts_after(past, function=function, body=body)
    for step in sorted((step for step in steps if _may_have_come(step, day)), key=lambda step: step.order):
        past.append(step)
        if parts_after(past, function=function, body=body) != parts:
            return Answer(parts, reason=Reason.DAY_UNKNOWN)
    holders = set[int]().union(*parts)
    if len(holders) > 1:
        return Answer(parts, reason=Reason.DIVIDED)
    holder = holders.pop()
    end = known.get(holder, Life()).end
    if holder == NOBODY or (end is not None and end <= day):
        return Answer(parts, reason=Reason.NOBODY)
    return Answer(parts, body=holder)


def parts_after(steps: Iterable[Step], *, function: str, body: int) -> dict[frozenset[int], Fraction]:
    """Return who holds the body's function after these steps, in parts that add up to 1."""
    parts = {frozenset({body}): Fraction(1)}
    for step in in_force(steps):
        moved: dict[frozenset[int], Fraction] = {}
        for holders, part in parts.items():
            for new, share in _shares(step, holders, function).items():
                moved[new] = moved.get(new, Fraction(0)) + part * share
        parts = moved
    return parts


def in_force(steps: Iterable[Step]) -> list[Step]:
    """Return the steps in order, without those that a step in force undoes."""
    rows = list(steps)
    undone: set[int] = set()
    for step in sorted(rows, key=lambda row: row.number, reverse=True):
        if step.undoes is not None and step.number not in undone:
            undone.add(step.undoes)
    return sorted((step for step in rows if step.number not in undone), key=lambda row: row.order)


def _may_have_come(step: Step, day: dt.date) -> bool:
    return step.vests is not None and step.vests.earliest <= day < step.vests.latest


def _shares(step: Step, holders: frozenset[int], function: str) -> dict[frozenset[int], Fraction]:
    """Return what part each body gets of what these bodies hold; joint holders stay joint."""
    outcomes = [_outcome(step, holder, function) for holder in holders]
    if len(outcomes) == 1:
        return outcomes[0]
    return {frozenset[int]().union(*(new for outcome in outcomes for new in outcome)): Fraction(1)}


def _outcome(step: Step, body: int, function: str) -> dict[frozenset[int], Fraction]:
    """Return what part each body gets of one body's function."""
    own = [tie for tie in step.ties if tie.predecessor == body]
    if not own:
        return {frozenset({body}): Fraction(1)}
    rest = frozenset({NOBODY if step.ends else body})
    ties_for_function = [tie for tie in own if tie.function == function] or [tie for tie in own if not tie.function]
    answering = [tie for tie in ties_for_function if tie.role in STRENGTH]
    if not answering:
        return {rest: Fraction(1)}
    if step.undoes is not None and any(tie.successor == body for tie in answering):
        return {frozenset({body}): Fraction(1)}
    strongest = min(STRENGTH[tie.role] for tie in answering)
    fractions: dict[frozenset[int], Fraction] = {}
    joint: set[int] = set()
    for tie in answering:
        if STRENGTH[tie.role] != strongest:
            continue
        if tie.share is None:
            joint.add(tie.successor)
        else:
            holder = frozenset({tie.successor})
            fractions[holder] = fractions.get(holder, Fraction(0)) + tie.share
    left = 1 - sum(fractions.values(), Fraction(0))
    if joint and step.divides:
        joint.add(body)
    if left:
        other_bodies = frozenset(joint) or rest
        fractions[other_bodies] = fractions.get(other_bodies, Fraction(0)) + left
    return fractions
