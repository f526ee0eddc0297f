"""What is published once answers are opened: means by group, shares and comments.

Single answers are not kept, so nobody can count them again in another way. Pure: it reads and writes nothing.
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
    """One person's answer as it was sealed.

    The group they chose, scores, expectations and comments by key.
    """

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
    """What a closed round publishes, and the comments for its moderator, shuffled."""

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
    """Count a round.

    `asked` says how many people of each group were asked, `counted` with which others a group is counted
    (`bodies.counted_as`). A figure needs `floor` answers: five, or ten if several partnerships run the round.
    """
    together: dict[str, int] = defaultdict(int)
    for group, number in asked.items():
        if number:
            together[counted[group]] += number
    figures: list[Figure] = []
    for dimension in questions.dimensions:
        figures += _means(dimension.key, answers, together, counted, floor)
    outside = _asked_outside_small_groups(answers, together, counted, floor)
    for expectation in questions.expectations:
        ticked = sum(expectation.key in answer.expects for answer in answers)
        share = _share(ticked, len(answers), outside, floor)
        if share is not None:
            figures.append(Figure(expectation.key, ALL, share))
    return Outcome(figures, _at_least(len(answers), outside, floor), _comments(answers, questions, floor))


def _means(
    key: str, answers: Sequence[Answer], people_asked: Mapping[str, int], counted: Mapping[str, str], floor: int
) -> list[Figure]:
    """The means of one dimension that can be published: of each group, and of everybody."""
    scores: dict[str, list[int]] = {group: [] for group in people_asked}
    for answer in answers:
        if key in answer.scores:
            scores[counted[answer.group]].append(answer.scores[key])
    means = means_of(scores, asked=people_asked, floor=floor)
    # If there is one group only, it is everybody: one figure is enough.
    shown = means if len(people_asked) > 1 else {group: mean for group, mean in means.items() if group == ALL}
    return [Figure(key, group, mean) for group, mean in shown.items()]


def _asked_outside_small_groups(
    answers: Sequence[Answer], people_asked: Mapping[str, int], counted: Mapping[str, str], floor: int
) -> list[int]:
    """For each group with fewer answers than the floor, how many people were asked who are not in it."""
    sizes: dict[str, int] = dict.fromkeys(people_asked, 0)
    for answer in answers:
        sizes[counted[answer.group]] += 1
    everybody = sum(people_asked.values())
    return [everybody - people_asked[group] for group, size in sizes.items() if size < floor]


def _share(ticked: int, answered: int, outside: Sequence[int], floor: int) -> Decimal | None:
    """The share that ticked it, to the nearest ten per cent.

    None if that could identify somebody. It would if fewer than the floor ticked it, or if fewer did not. It would also
    if a reader could work out from the share how many people of a small group answered, give or take `SLACK`. `outside`
    is, for each small group, how many people were asked who are not in it.
    """
    if ticked < floor or answered - ticked < floor:
        return None
    share = _rounded(ticked, answered)
    needed = _least_answers(share, floor)
    for others in outside:
        # Even if all the others answered, the small group gave the rest of the answers that this share needs.
        least, most = needed - others, floor - 1
        if most - least <= SLACK:
            return None
    return share


def _rounded(ticked: int, answered: int) -> Decimal:
    return (Decimal(10 * ticked) / answered).quantize(Decimal(1), ROUND_HALF_UP) * 10


def _least_answers(share: Decimal, floor: int) -> int:
    """The fewest answers that give this share, if at least the floor ticked it and at least the floor did not."""
    return next(
        answered
        for answered in itertools.count(2 * floor)
        if any(_rounded(ticked, answered) == share for ticked in range(floor, answered - floor + 1))
    )


def _at_least(answered: int, outside: Sequence[int], floor: int) -> int:
    """How many answered, rounded down to a multiple of five.

    0 if that would say too much. The number stays low enough to say nothing about a small group: it is at most the
    floor, or half of the people who were asked outside of that group (`SLACK` is 2).
    """
    for number in range(answered // MIN_FLOOR * MIN_FLOOR, floor - 1, -MIN_FLOOR):
        if all(number <= floor or number <= others // SLACK for others in outside):
            return number
    return 0


def _comments(answers: Sequence[Answer], questions: Questions, floor: int) -> list[tuple[str, str]]:
    """Comments on the questions that at least the floor commented on, shuffled within each question."""
    comments: list[tuple[str, str]] = []
    for comment in questions.comments:
        texts = [text for answer in answers if (text := answer.comments.get(comment.key, "").strip())]
        if len(texts) >= floor:
            random.SystemRandom().shuffle(texts)
            comments += [(comment.key, text) for text in texts]
    return comments
