"""Random histories of bodies: mergers, splits, renames, cancelled and undone ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations.answering import NOBODY, Reason, Step, Tie, parts_after, who_answers

T = TypeVar("T")
FUNCTIONS = ("planning", "housing", "business_representation")
START = dt.date(2024, 1, 1)
#: What a move of a history can be, and how it uses the bodies that exist.
MOVES = (
    "merge",
    "split",
    "split_by_area",
    "absorb",
    "rename",
    "transfer",
    "boundary",
    "dissolve",
    "only_nominated",
    "late_code",
    "cancel",
    "undo",
)
SHARES = ((Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 3), Fraction(2, 3)), (Fraction(3, 10), Fraction(7, 10)))


@dataclass
class History:
    """Successions as they were recorded, and the bodies they made.

    `origins` are the bodies that existed before any of them, `cancelled` the steps that an administrator took back.
    """

    origins: tuple[int, ...]
    steps: list[Step] = field(default_factory=list)
    cancelled: list[Step] = field(default_factory=list)
    bodies: set[int] = field(default_factory=set)

    def new_body(self) -> int:
        """The number of a body that did not exist before."""
        body = max(self.bodies) + 1
        self.bodies.add(body)
        return body


class Choices(Protocol):
    """Where a history's choices come from: Hypothesis, or random numbers."""

    def whole(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        ...

    def among(self, options: Sequence[T]) -> T:
        """One of the options."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Choices that Hypothesis makes, and shrinks."""

    draw: st.DrawFn

    def whole(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def among(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))


@dataclass(frozen=True)
class Rolled:
    """Choices of a random number generator, for many histories."""

    random: Random

    def whole(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def among(self, options: Sequence[T]) -> T:
        return self.random.choice(options)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A possible history."""
    return history_from(Drawn(draw))


def history_from(choices: Choices, *, most: int = 9) -> History:
    """A possible history, with one to `most` successions."""
    origins = tuple(range(1, choices.whole(2, 5) + 1))
    history = History(origins, bodies=set(origins))
    alive = list(origins)
    day = START
    for number in range(1, choices.whole(1, most) + 1):
        day += dt.timedelta(days=choices.whole(0, 60))
        move = choices.among(MOVES)
        one, other = choices.among(alive), choices.among(alive)
        step = _step(history, number, move, one, other, vests=_date(day, exact=choices.whole(0, 5) > 0))
        if move == "undo" and history.steps:
            undone = choices.among(history.steps)
            step = undoing(number, undone, known_day(day), bodies_before(history, undone))
        if step is None or (step.undoes and any(one.undoes == step.undoes for one in history.steps)):
            continue
        if move == "cancel":
            history.cancelled.append(step)
            continue
        history.steps.append(step)
        alive = sorted({*alive, *(tie.successor for tie in step.ties if tie.successor != NOBODY)})
    return history


def check_answers(history: History, function: str, day: dt.date) -> int:
    """Check that each body's function has one holder or a reason, and loses nothing.

    Returns the number of answers.
    """
    for body in sorted(history.bodies):
        found = who_answers(function=function, body=body, day=day, steps=history.steps)
        holders = set[int]().union(*found.parts)
        assert (found.body is None) != (found.reason is None)
        assert sum(found.parts.values()) == 1
        assert all(part > 0 for part in found.parts.values())
        assert holders <= history.bodies | {NOBODY}
        if found.body is not None:
            assert found.parts == {frozenset({found.body}): 1}
        if found.reason is Reason.DIVIDED:
            assert len(holders) > 1
    return len(history.bodies)


def check_undoing(history: History, function: str, day: dt.date) -> int:
    """Check that what is undone leaves what was before, also when done again.

    Returns the number of successions undone.
    """
    undone = {step.undoes for step in history.steps}
    chosen = [step for step in history.steps if step.undoes is None and step.number not in undone]
    number = max((step.number for step in history.steps), default=0) + 1
    for step in chosen:
        back = undoing(number, step, known_day(day), bodies_before(history, step))
        again = replace(step, number=number + 1, vests=back.vests)
        before = [one for one in history.steps if one.order < step.order]
        for body in history.origins:
            was = parts_after(before, function=function, body=body)
            done = parts_after([*before, step], function=function, body=body)
            assert parts_after([*before, step, back], function=function, body=body) == was
            assert parts_after([*before, step, back, again], function=function, body=body) == done
    return len(chosen)


def _date(day: dt.date, *, exact: bool) -> PartialDate:
    return PartialDate(day.year, day.month, day.day) if exact else PartialDate(day.year, day.month)


def bodies_before(history: History, step: Step) -> set[int]:
    """The bodies that existed before a step."""
    earlier = [one for one in history.steps if one.order < step.order]
    return {*history.origins, *(tie.successor for step in earlier for tie in step.ties)}


def undoing(number: int, step: Step, vests: PartialDate | None, lasting: Collection[int] = ()) -> Step:
    """A succession that undoes another: its ties the other way round.

    Bodies in `lasting` existed before it, and continue.
    """
    back = [tie for tie in step.ties if tie.successor not in (NOBODY, tie.predecessor)]
    ties = [Tie(tie.successor, tie.predecessor, function=tie.function) for tie in back]
    ties += [Tie(tie.successor, tie.successor, "continuing", tie.function) for tie in back if tie.successor in lasting]
    later = max((one for one in (vests, step.vests) if one is not None), key=lambda one: one.latest)
    return Step(number, known_day(later.latest), tuple(dict.fromkeys(ties)), ends=step.ends, undoes=step.number)


def _step(history: History, number: int, move: str, one: int, other: int, *, vests: PartialDate) -> Step | None:
    """The step of a move, or None where it needs another body."""
    usual = Step(number, vests, ())
    if move in {"rename", "late_code"}:
        return replace(usual, ties=(Tie(one, one, "continuing"),))
    if move == "dissolve":
        return replace(usual, ties=(Tie(one, NOBODY),))
    if move == "only_nominated":
        return replace(usual, ties=(Tie(one, history.new_body(), "nominated"),), ends=False)
    if move in {"split", "split_by_area"}:
        shares = SHARES[number % 3] if move == "split_by_area" else (None, None)
        return replace(usual, ties=tuple(Tie(one, history.new_body(), share=share) for share in shares))
    if one == other:
        return None
    if move in {"merge", "cancel"}:
        body = history.new_body()
        return replace(usual, ties=(Tie(one, body), Tie(other, body)))
    if move == "absorb":
        return replace(usual, ties=(Tie(one, other),))
    if move == "transfer":
        role = ("successor", "caretaker", "hosting")[number % 3]
        return replace(usual, ties=(Tie(one, other, role, FUNCTIONS[number % 3]),), ends=False)
    if move == "boundary":
        share = SHARES[number % 3][0] if number % 2 else None
        return replace(usual, ties=(Tie(one, other, share=share),), ends=False, divides=True)
    return None
