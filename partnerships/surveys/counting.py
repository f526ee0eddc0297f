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
    #: The number of answers is shown as "at least" this; 0 if it was fewer than five.
    answered_at_least: int
    comments: Sequence[tuple[str, str]]


def outcome_of(
    answers: Sequence[Answer], questions: Questions, *, asked: Mapping[str, int], counted: Mapping[str, str]
) -> Outcome:
    """Count a round. `asked` are the people asked of each group, `counted` which groups are counted together."""
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
        means = means_of(scores, asked=asked_of)
        # One group alone is everybody, and is shown once.
        shown = means if len(asked_of) > 1 else {ALL: means[ALL]} if ALL in means else {}
        figures += [Figure(dimension.key, group, mean) for group, mean in shown.items()]
    sizes: dict[str, int] = dict.fromkeys(asked_of, 0)
    for answer in answers:
        sizes[counted[answer.group]] += 1
    # How many people others than those of a small group are, for each small group.
    others = [sum(asked_of.values()) - asked_of[group] for group, size in sizes.items() if size < MIN_FLOOR]
    figures += [
        Figure(one.key, ALL, share)
        for one in questions.expectations
        if (share := _share(sum(one.key in answer.expects for answer in answers), len(answers), others)) is not None
    ]
    return Outcome(figures, _at_least(len(answers), others), _comments(answers, questions))


def _share(ticked: int, answered: int, others: Sequence[int]) -> Decimal | None:
    """The share that ticked it, to the nearest ten per cent; None if fewer than five did, or did not.

    None also if so many must have answered, for this share of five or more, that few of a small group can be missing.
    """
    if ticked < MIN_FLOOR or answered - ticked < MIN_FLOOR:
        return None
    share = _rounded(ticked, answered)
    least = _least_answers(share)
    # At least `least - number` of the small group answered, and at most four.
    return share if all(MIN_FLOOR - 1 - (least - number) > SLACK for number in others) else None


def _rounded(ticked: int, answered: int) -> Decimal:
    return (Decimal(10 * ticked) / answered).quantize(Decimal(1), ROUND_HALF_UP) * 10


def _least_answers(share: Decimal) -> int:
    """The fewest answers with this share, if five or more ticked it and five or more did not."""
    return next(
        answered
        for answered in itertools.count(2 * MIN_FLOOR)
        if any(_rounded(ticked, answered) == share for ticked in range(MIN_FLOOR, answered - MIN_FLOOR + 1))
    )


def _at_least(answered: int, others: Sequence[int]) -> int:
    """How many answered, rounded down to fives, so that no small group's number follows from what others can be."""
    for number in range(answered // MIN_FLOOR * MIN_FLOOR, 0, -MIN_FLOOR):
        if all(number <= MIN_FLOOR or number <= one // SLACK for one in others):
            return number
    return 0


def _comments(answers: Sequence[Answer], questions: Questions) -> list[tuple[str, str]]:
    """The comments on questions that five or more commented on, each question shuffled by itself."""
    found: list[tuple[str, str]] = []
    for one in questions.comments:
        texts = [text for answer in answers if (text := answer.comments.get(one.key, "").strip())]
        if len(texts) >= MIN_FLOOR:
            random.SystemRandom().shuffle(texts)
            found += [(one.key, text) for text in texts]
    return found
