"""What is published of opened answers: means by group, shares, comments. Pure, and all there ever is.

Single answers are not kept, so nobody can count them again in another way.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from partnerships.kit.disclosed_means import ALL, means_of
from partnerships.kit.disclosure import MIN_FLOOR, SLACK
from partnerships.surveys.questions import Questions


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's answer as it was sealed: the group they chose, scores, expectations and comments by key."""

    group: str
    scores: Mapping[str, int]
    expects: Sequence[str]
    comments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A published mean of a dimension (1.5 to 4.5), or the share that expects something, in per cent."""

    theme: str
    group: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a closed round publishes, and the comments for its moderator in an order that says nothing."""

    figures: Sequence[Figure]
    #: The number of answers is shown as "at least" this; 0 if it was under the floor.
    answered_at_least: int
    comments: Sequence[tuple[str, str]]


def outcome_of(
    answers: Sequence[Answer],
    questions: Questions,
    *,
    asked: Mapping[str, int],
    counted: Mapping[str, str],
    floor: int = MIN_FLOOR,
) -> Outcome:
    """Count a round. `asked` are the people asked of each group, `counted` which groups are counted together.

    A figure needs `floor` answers: five, or ten where several partnerships are counted together.
    """
    asked_of: dict[str, int] = defaultdict(int)
    for group, number in asked.items():
        if number:
            asked_of[counted[group]] += number
    figures: list[Figure] = []
    for dimension in questions.dimensions:
        scores: dict[str, list[int]] = {group: [] for group in asked_of}
        for answer in answers:
            if dimension.key in answer.scores:
                scores[counted[answer.group]].append(answer.scores[dimension.key])
        means = means_of(scores, asked=asked_of, floor=floor)
        # One group alone is everybody, and is shown once.
        shown = means if len(asked_of) > 1 else {ALL: means[ALL]} if ALL in means else {}
        figures += [Figure(dimension.key, group, mean) for group, mean in shown.items()]
    sizes: dict[str, int] = dict.fromkeys(asked_of, 0)
    for answer in answers:
        sizes[counted[answer.group]] += 1
    # How many people others than those of a small group are, for each small group.
    others = [sum(asked_of.values()) - asked_of[group] for group, size in sizes.items() if size < floor]
    figures += [
        Figure(one.key, ALL, share)
        for one in questions.expectations
        if (share := _share(sum(one.key in answer.expects for answer in answers), len(answers), others, floor))
        is not None
    ]
    return Outcome(figures, _at_least(len(answers), others, floor), _comments(answers, questions, floor))


def _share(ticked: int, answered: int, others: Sequence[int], floor: int) -> Decimal | None:
    """The share that ticked it, to the nearest ten per cent; None if fewer than the floor did, or did not.

    None also if so many must have answered, for this share of that many, that few of a small group can be missing.
    """
    if ticked < floor or answered - ticked < floor:
        return None
    share = _rounded(ticked, answered)
    least = _least_answers(share, floor)
    # At least `least - number` of the small group answered, and fewer than the floor.
    return share if all(floor - 1 - (least - number) > SLACK for number in others) else None


def _rounded(ticked: int, answered: int) -> Decimal:
    return (Decimal(10 * ticked) / answered).quantize(Decimal(1), ROUND_HALF_UP) * 10


def _least_answers(share: Decimal, floor: int) -> int:
    """The fewest answers with this share, if as many as the floor ticked it, and as many did not."""
    return next(
        answered
        for answered in itertools.count(2 * floor)
        if any(_rounded(ticked, answered) == share for ticked in range(floor, answered - floor + 1))
    )


def _at_least(answered: int, others: Sequence[int], floor: int) -> int:
    """How many answered, rounded down to fives, so that no small group's number follows from what others can be."""
    for number in range(answered // MIN_FLOOR * MIN_FLOOR, floor - 1, -MIN_FLOOR):
        if all(number <= floor or number <= one // SLACK for one in others):
            return number
    return 0


def _comments(answers: Sequence[Answer], questions: Questions, floor: int) -> list[tuple[str, str]]:
    """The comments on questions that as many as the floor commented on, each question shuffled by itself."""
    found: list[tuple[str, str]] = []
    for one in questions.comments:
        texts = [text for answer in answers if (text := answer.comments.get(one.key, "").strip())]
        if len(texts) >= floor:
            random.SystemRandom().shuffle(texts)
            found += [(one.key, text) for text in texts]
    return found
