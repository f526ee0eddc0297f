"""Build random histories of organisations, for example a merger that is undone after a rename."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations.responsibility import (
    NOBODY,
    NoSingleBody,
    Step,
    Tie,
    parts_after_steps,
    responsible_body,
)

T = TypeVar("T")
FUNCTIONS = ("planning", "housing", "business_representation")
START = dt.date(2024, 1, 1)
#: The moves of a history. Each uses one or two of the bodies that exist.
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
    """Successions in the order in which they were recorded, and the bodies that take part in them."""

    #: The bodies that existed before the first succession.
    origins: tuple[int, ...]
    steps: list[Step] = field(default_factory=list)
    #: Steps that an administrator cancelled. They have no effect.
    cancelled: list[Step] = field(default_factory=list)
    bodies: set[int] = field(default_factory=set)

    def new_body(self) -> int:
        """Add a body to the history, and return its number."""
        body = max(self.bodies) + 1
        self.bodies.add(body)
        return body


class Choices(Protocol):
    """Makes the random choices of a history, with Hypothesis or with a random number generator."""

    def whole(self, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`, both included."""
        ...

    def among(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Makes choices with Hypothesis, which can simplify a failing history."""

    draw: st.DrawFn

    def whole(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def among(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))


@dataclass(frozen=True)
class Rolled:
    """Makes choices with a random number generator, which is faster for very many histories."""

    random: Random

    def whole(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def among(self, options: Sequence[T]) -> T:
        return self.random.choice(options)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a possible history."""
    return history_from(Drawn(draw))


def history_from(choices: Choices, *, max_steps: int = 9) -> History:
    """Return a possible history, with one to `max_steps` successions."""
    origins = tuple(range(1, choices.whole(2, 5) + 1))
    history = History(origins, bodies=set(origins))
    available_bodies = list(origins)
    day = START
    for number in range(1, choices.whole(1, max_steps) + 1):
        day += dt.timedelta(days=choices.whole(0, 60))
        move = choices.among(MOVES)
        body = choices.among(available_bodies)
        other_body = choices.among(available_bodies)
        step = _step(history, number, move, body, other_body, vests=_date(day, exact=choices.whole(0, 5) > 0))
        if move == "undo" and history.steps:
            step_to_undo = choices.among(history.steps)
            step = undoing(number, step_to_undo, known_day(day), bodies_before(history, step_to_undo))
        if step is None:
            continue
        # Only one succession may undo another.
        if step.undoes and any(earlier.undoes == step.undoes for earlier in history.steps):
            continue
        if move == "cancel":
            history.cancelled.append(step)
            continue
        history.steps.append(step)
        successors = {tie.successor for tie in step.ties} - {NOBODY}
        available_bodies = sorted({*available_bodies, *successors})
    return history


def check_answers(history: History, function: str, day: dt.date) -> int:
    """Check that for each body's function one body is responsible, or none with a reason, and that no part is lost.

    Returns the number of answers that were checked.
    """
    for body in sorted(history.bodies):
        answer = responsible_body(function=function, body=body, day=day, steps=history.steps)

        holders = set[int]().union(*answer.parts)
        assert (answer.body is None) != (answer.reason is None)
        assert sum(answer.parts.values()) == 1
        assert all(part > 0 for part in answer.parts.values())
        assert holders <= history.bodies | {NOBODY}
        if answer.body is not None:
            assert answer.parts == {frozenset({answer.body}): 1}
        if answer.reason is NoSingleBody.DIVIDED:
            assert len(holders) > 1
    return len(history.bodies)


def check_undoing(history: History, function: str, day: dt.date) -> int:
    """Check that undoing a succession restores the parts before it, and that repeating it restores the parts after it.

    Returns the number of successions that were undone.
    """
    undone_numbers = {step.undoes for step in history.steps}
    steps_to_undo = [step for step in history.steps if step.undoes is None and step.number not in undone_numbers]
    next_number = max((step.number for step in history.steps), default=0) + 1
    for step in steps_to_undo:
        undoing_step = undoing(next_number, step, known_day(day), bodies_before(history, step))
        repeated_step = replace(step, number=next_number + 1, vests=undoing_step.vests)
        earlier_steps = [other for other in history.steps if other.order < step.order]
        for body in history.origins:
            parts_before_step = parts_after_steps(earlier_steps, function=function, body=body)
            parts_after_step = parts_after_steps([*earlier_steps, step], function=function, body=body)

            steps = [*earlier_steps, step, undoing_step]
            assert parts_after_steps(steps, function=function, body=body) == parts_before_step
            assert parts_after_steps([*steps, repeated_step], function=function, body=body) == parts_after_step
    return len(steps_to_undo)


def _date(day: dt.date, *, exact: bool) -> PartialDate:
    return PartialDate(day.year, day.month, day.day) if exact else PartialDate(day.year, day.month)


def bodies_before(history: History, step: Step) -> set[int]:
    """Return the bodies that existed before a step."""
    earlier_steps = [other for other in history.steps if other.order < step.order]
    return {*history.origins, *(tie.successor for earlier_step in earlier_steps for tie in earlier_step.ties)}


def undoing(number: int, step: Step, vests: PartialDate | None, lasting: Collection[int] = ()) -> Step:
    """Return a succession that undoes another one; its ties lead in the opposite direction.

    The bodies in `lasting` existed before the undone succession, and so continue. The new succession vests on the later
    of `vests` and the undone succession's day.
    """
    ties_to_reverse = [tie for tie in step.ties if tie.successor not in (NOBODY, tie.predecessor)]
    ties = [Tie(tie.successor, tie.predecessor, function=tie.function) for tie in ties_to_reverse]
    ties += [
        Tie(tie.successor, tie.successor, "continuing", tie.function)
        for tie in ties_to_reverse
        if tie.successor in lasting
    ]
    last_day = max(day.latest for day in (vests, step.vests) if day is not None)
    return Step(number, known_day(last_day), tuple(dict.fromkeys(ties)), ends=step.ends, undoes=step.number)


def _step(history: History, number: int, move: str, body: int, other_body: int, *, vests: PartialDate) -> Step | None:
    """Return the step of a move; None if the move needs two different bodies, or is "undo"."""
    step_without_ties = Step(number, vests, ())
    if move in {"rename", "late_code"}:
        return replace(step_without_ties, ties=(Tie(body, body, "continuing"),))
    if move == "dissolve":
        return replace(step_without_ties, ties=(Tie(body, NOBODY),))
    if move == "only_nominated":
        return replace(step_without_ties, ties=(Tie(body, history.new_body(), "nominated"),), ends=False)
    if move in {"split", "split_by_area"}:
        shares = SHARES[number % 3] if move == "split_by_area" else (None, None)
        return replace(step_without_ties, ties=tuple(Tie(body, history.new_body(), share=share) for share in shares))
    if body == other_body:
        return None
    if move in {"merge", "cancel"}:
        successor = history.new_body()
        return replace(step_without_ties, ties=(Tie(body, successor), Tie(other_body, successor)))
    if move == "absorb":
        return replace(step_without_ties, ties=(Tie(body, other_body),))
    if move == "transfer":
        role = ("successor", "caretaker", "hosting")[number % 3]
        return replace(step_without_ties, ties=(Tie(body, other_body, role, FUNCTIONS[number % 3]),), ends=False)
    if move == "boundary":
        share = SHARES[number % 3][0] if number % 2 else None
        return replace(step_without_ties, ties=(Tie(body, other_body, share=share),), ends=False, divides=True)
    return None
