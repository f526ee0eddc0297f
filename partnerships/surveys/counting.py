"""What is published of opened answers: means by group, shares, comments. Pure, and all there ever is.

Single answers are not kept, so nobody can count them again in another way.
"""

from __future__ import annotations

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
    """A published mean of a dimension (1.5 to 4.5), or the share that expects something (10 to 90 per cent)."""

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
    figures += [
        Figure(one.key, ALL, share)
        for one in questions.expectations
        if (share := _share([one.key in answer.expects for answer in answers])) is not None
    ]
    return Outcome(figures, _at_least(answers, asked_of, counted), _comments(answers, questions))


def _share(ticked: Sequence[bool]) -> Decimal | None:
    """The share that ticked it, to the nearest ten per cent; None if fewer than five did, or did not."""
    yes = sum(ticked)
    if yes < MIN_FLOOR or len(ticked) - yes < MIN_FLOOR:
        return None
    return (Decimal(10 * yes) / len(ticked)).quantize(Decimal(1), ROUND_HALF_UP) * 10


def _at_least(answers: Sequence[Answer], asked: Mapping[str, int], counted: Mapping[str, str]) -> int:
    """How many answered, rounded down to fives, so that no small group's number follows from what others can be."""
    sizes: dict[str, int] = dict.fromkeys(asked, 0)
    for answer in answers:
        sizes[counted[answer.group]] += 1
    everybody = sum(asked.values())
    for number in range(len(answers) // MIN_FLOOR * MIN_FLOOR, 0, -MIN_FLOOR):
        small = [group for group, size in sizes.items() if size < MIN_FLOOR]
        if all(number <= MIN_FLOOR or number <= (everybody - asked[group]) // SLACK for group in small):
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
