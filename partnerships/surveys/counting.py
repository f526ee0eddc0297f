"""Count the answers of a round: the means by group, shares and comments that can be published.

The answers themselves are deleted afterwards, so nobody can count them again in another way. This module reads and
writes nothing.
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
    """One person's answer: the group they chose, and scores, expectations and comments by question key."""

    group: str
    scores: Mapping[str, int]
    expects: Sequence[str]
    comments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A published mean of a dimension (1.5 to 4.5), or the share of answers with an expectation, in per cent."""

    theme: str
    group: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results that a round publishes when it closes, and the shuffled comments for its moderator."""

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
    """Count the answers of a round.

    `asked` is how many people of each group were asked, and `counted` the code of the groups that each group is counted
    with (`bodies.counted_as`). A figure needs `floor` answers: five, or ten if several partnerships run the round.
    """
    people_asked: dict[str, int] = defaultdict(int)
    for group, number in asked.items():
        if number:
            people_asked[counted[group]] += number
    figures: list[Figure] = []
    for dimension in questions.dimensions:
        figures += _means(dimension.key, answers, people_asked, counted, floor)
    outside = _asked_outside_small_groups(answers, people_asked, counted, floor)
    for expectation in questions.expectations:
        ticked = sum(expectation.key in answer.expects for answer in answers)
        share = _share(ticked, len(answers), outside, floor)
        if share is not None:
            figures.append(Figure(expectation.key, ALL, share))
    return Outcome(figures, _at_least(len(answers), outside, floor), _comments(answers, questions, floor))


def _means(
    key: str, answers: Sequence[Answer], people_asked: Mapping[str, int], counted: Mapping[str, str], floor: int
) -> list[Figure]:
    """The means of one dimension that can be published: of each group, and of everyone."""
    scores: dict[str, list[int]] = {group: [] for group in people_asked}
    for answer in answers:
        if key in answer.scores:
            scores[counted[answer.group]].append(answer.scores[key])
    means = means_of(scores, asked=people_asked, floor=floor)
    # A single group is everyone, so one figure is enough.
    shown = means if len(people_asked) > 1 else {group: mean for group, mean in means.items() if group == ALL}
    return [Figure(key, group, mean) for group, mean in shown.items()]


def _asked_outside_small_groups(
    answers: Sequence[Answer], people_asked: Mapping[str, int], counted: Mapping[str, str], floor: int
) -> list[int]:
    """For each group with fewer answers than the floor, how many people outside the group were asked."""
    sizes: dict[str, int] = dict.fromkeys(people_asked, 0)
    for answer in answers:
        sizes[counted[answer.group]] += 1
    all_people = sum(people_asked.values())
    return [all_people - people_asked[group] for group, size in sizes.items() if size < floor]


def _share(ticked: int, answered: int, outside: Sequence[int], floor: int) -> Decimal | None:
    """The share of answers with an expectation, to the nearest ten per cent; None if it could identify a person.

    It could if fewer than the floor ticked the expectation, or if fewer did not. It could also if a reader could work
    out from the share how many people of a small group answered, give or take `SLACK`. `outside` is the number of
    people asked outside each small group.
    """
    if ticked < floor or answered - ticked < floor:
        return None
    share = _rounded(ticked, answered)
    needed = _least_answers(share, floor)
    for others in outside:
        # Even if everyone outside the group answered, the group gave the rest of the answers that this share needs.
        least, most = needed - others, floor - 1
        if most - least <= SLACK:
            return None
    return share


def _rounded(ticked: int, answered: int) -> Decimal:
    return (Decimal(10 * ticked) / answered).quantize(Decimal(1), ROUND_HALF_UP) * 10


def _least_answers(share: Decimal, floor: int) -> int:
    """The fewest answers that can give this share, with at least the floor who ticked the box and who did not."""
    return next(
        answered
        for answered in itertools.count(2 * floor)
        if any(_rounded(ticked, answered) == share for ticked in range(floor, answered - floor + 1))
    )


def _at_least(answered: int, outside: Sequence[int], floor: int) -> int:
    """The number of answers, rounded down to a multiple of five; 0 if that would say too much.

    To say nothing about a small group, the number is at most the floor, or half of the people asked outside that group
    (`SLACK` is 2).
    """
    for number in range(answered // MIN_FLOOR * MIN_FLOOR, floor - 1, -MIN_FLOOR):
        if all(number <= floor or number <= others // SLACK for others in outside):
            return number
    return 0


def _comments(answers: Sequence[Answer], questions: Questions, floor: int) -> list[tuple[str, str]]:
    """The comments on each question that has at least the floor of them, shuffled within the question."""
    comments: list[tuple[str, str]] = []
    for comment in questions.comments:
        texts = [text for answer in answers if (text := answer.comments.get(comment.key, "").strip())]
        if len(texts) >= floor:
            random.SystemRandom().shuffle(texts)
            comments += [(comment.key, text) for text in texts]
    return comments
