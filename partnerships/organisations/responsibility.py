"""Find the body that is responsible for a function on a day. The rules need no Django.

For example, Elm merged into East, which was later divided into North (60%) and South (40%). Elm's planning then has two
parts. Whatever happens to a body, the parts of each of its functions add up to 1. A part belongs to one body, or to
nobody. It belongs jointly to several bodies if an order does not say how they divide it. See docs/successions.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from partnerships.kit.dates import PartialDate

#: The id that means “no body” among the bodies of a part.
NOBODY = 0
#: Roles that make a body responsible after vesting day. For each function, only the strongest (lowest) role is used.
STRENGTH = {"successor": 0, "continuing": 0, "caretaker": 1, "hosting": 2}
#: The part of a function that each group of bodies has. The parts add up to 1.
Parts = Mapping[frozenset[int], Fraction]


class NoSingleBody(StrEnum):
    """The reason why no single body is responsible."""

    NOT_YET = "not_yet"
    DAY_UNKNOWN = "day_unknown"
    NOBODY = "nobody"
    DIVIDED = "divided"


@dataclass(frozen=True, slots=True)
class Tie:
    """The succession of one body to another. The successor is `NOBODY` if no body takes over.

    An empty `function` means all functions that no other tie of the predecessor names.
    """

    predecessor: int
    successor: int
    role: str = "successor"
    function: str = ""
    share: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A succession with an order that was made. It is not cancelled."""

    #: Sorts the steps of one day. A step that undoes another step has a higher number than that step.
    number: int
    #: The vesting day. None means an unknown day in the past.
    vests: PartialDate | None
    ties: tuple[Tie, ...]
    #: True if the predecessors end. If not, they keep the functions that no tie names.
    ends: bool = True
    #: True if the predecessors also keep the part of their area that no tie's share transfers.
    divides: bool = False
    #: The number of the step that this step undoes. A body that continues then keeps the part that it had before the
    #: undone step, and returns the part that it received.
    undoes: int | None = None

    @property
    def order(self) -> tuple[dt.date, dt.date, int]:
        """Return the key that sorts steps by vesting day; unknown days come first."""
        if self.vests is None:
            return dt.date.min, dt.date.min, self.number
        return self.vests.earliest, self.vests.latest, self.number


@dataclass(frozen=True, slots=True)
class Life:
    """The first day of a body, and the first day on which it no longer exists; None if unknown or open.

    Only bodies that no succession ended have an `end`; for the others, the steps say when they ended.
    """

    start: dt.date | None = None
    end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Responsibility:
    """The one body that is responsible, or the reason why no single body is.

    `parts` contains the share of each group of bodies, even if the answer is a reason.
    """

    parts: Parts
    body: int | None = None
    reason: NoSingleBody | None = None


def responsible_body(
    *, function: str, body: int, day: dt.date, steps: Collection[Step], lives: Mapping[int, Life] | None = None
) -> Responsibility:
    """Return the body that is responsible on a day for a function of the given body.

    Exactly one of the answer's `body` and `reason` is set. `lives` contains the first and last days of bodies, if they
    are known.
    """
    life_by_body = lives or {}
    start = life_by_body.get(body, Life()).start
    if start is not None and day < start:
        return Responsibility({frozenset({body}): Fraction(1)}, reason=NoSingleBody.NOT_YET)
    past_steps = [step for step in steps if step.vests is None or step.vests.latest <= day]
    parts = parts_after_steps(past_steps, function=function, body=body)
    # If only the month or year of a step is known, the step makes the answer unknown only if it changes the parts.
    for step in sorted((step for step in steps if _may_have_vested(step, day)), key=lambda step: step.order):
        past_steps.append(step)
        if parts_after_steps(past_steps, function=function, body=body) != parts:
            return Responsibility(parts, reason=NoSingleBody.DAY_UNKNOWN)
    holders = set[int]().union(*parts)
    if len(holders) > 1:
        return Responsibility(parts, reason=NoSingleBody.DIVIDED)
    holder = holders.pop()
    end = life_by_body.get(holder, Life()).end
    if holder == NOBODY or (end is not None and end <= day):
        return Responsibility(parts, reason=NoSingleBody.NOBODY)
    return Responsibility(parts, body=holder)


def parts_after_steps(steps: Iterable[Step], *, function: str, body: int) -> dict[frozenset[int], Fraction]:
    """Return the bodies that have the function after these steps, in parts that add up to 1."""
    parts = {frozenset({body}): Fraction(1)}
    for step in steps_in_force(steps):
        parts_after_step: dict[frozenset[int], Fraction] = {}
        for holders, part in parts.items():
            for new_holders, share in _parts_after_step(step, holders, function).items():
                parts_after_step[new_holders] = parts_after_step.get(new_holders, Fraction(0)) + part * share
        parts = parts_after_step
    return parts


def steps_in_force(steps: Iterable[Step]) -> list[Step]:
    """Return the steps in order, without the steps that another step in force undoes."""
    all_steps = list(steps)
    undone_numbers: set[int] = set()
    # The latest steps come first, because a step that was itself undone does not undo anything.
    for step in sorted(all_steps, key=lambda step: step.number, reverse=True):
        if step.undoes is not None and step.number not in undone_numbers:
            undone_numbers.add(step.undoes)
    return sorted((step for step in all_steps if step.number not in undone_numbers), key=lambda step: step.order)


def _may_have_vested(step: Step, day: dt.date) -> bool:
    return step.vests is not None and step.vests.earliest <= day < step.vests.latest


def _parts_after_step(step: Step, holders: frozenset[int], function: str) -> dict[frozenset[int], Fraction]:
    """Return how the step divides a part of these bodies. A part that they have jointly is not divided."""
    outcomes = [_parts_of_body(step, holder, function) for holder in holders]
    if len(outcomes) == 1:
        return outcomes[0]
    new_holders = frozenset[int]().union(*(bodies for outcome in outcomes for bodies in outcome))
    return {new_holders: Fraction(1)}


def _parts_of_body(step: Step, body: int, function: str) -> dict[frozenset[int], Fraction]:
    """Return the part of one body's function that each group of bodies has after the step."""
    unchanged = {frozenset({body}): Fraction(1)}
    own_ties = [tie for tie in step.ties if tie.predecessor == body]
    if not own_ties:
        return unchanged

    # The body that has the function, or a part of it, if no successor takes it over.
    fallback = frozenset({NOBODY if step.ends else body})
    ties = _responsible_ties(own_ties, function)
    if not ties:
        return {fallback: Fraction(1)}
    if step.undoes is not None and any(tie.successor == body for tie in ties):
        return unchanged

    strongest = min(STRENGTH[tie.role] for tie in ties)
    strongest_ties = [tie for tie in ties if STRENGTH[tie.role] == strongest]
    parts = _parts_with_share(strongest_ties)
    remainder = 1 - sum(parts.values(), Fraction(0))
    if remainder:
        # Successors without a recorded share have the remainder jointly.
        joint_holders = {tie.successor for tie in strongest_ties if tie.share is None}
        if joint_holders and step.divides:
            joint_holders.add(body)
        holders = frozenset(joint_holders) or fallback
        parts[holders] = parts.get(holders, Fraction(0)) + remainder
    return parts


def _responsible_ties(own_ties: Sequence[Tie], function: str) -> list[Tie]:
    """Return a body's ties that make their successor responsible for a function.

    If ties name the function, the ties for all functions do not apply.
    """
    named_ties = [tie for tie in own_ties if tie.function == function]
    ties_for_function = named_ties or [tie for tie in own_ties if not tie.function]
    return [tie for tie in ties_for_function if tie.role in STRENGTH]


def _parts_with_share(ties: Iterable[Tie]) -> dict[frozenset[int], Fraction]:
    """Return the recorded share of each successor. Successors without a share are left out."""
    parts: dict[frozenset[int], Fraction] = {}
    for tie in ties:
        if tie.share is not None:
            holder = frozenset({tie.successor})
            parts[holder] = parts.get(holder, Fraction(0)) + tie.share
    return parts
