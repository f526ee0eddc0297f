"""Counts the answers of a round, to find the means, shares and comments that can be published.

The answers are deleted afterwards, so nobody can count them again in another way. This module does not use the
database.
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
    """One person's answer, with the group they chose.

    Scores and comments are by the key of their question. `expects` has the keys of the expectations that were ticked.
    """

    group: str
    scores: Mapping[str, int]
    expects: Sequence[str]
    comments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A published mean of a dimension (1.5 to 4.5), or the share of answers with an expectation, in per cent.

    `group` is the code of groups counted together, or `ALL`.
    """

    theme: str
    group: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class RoundResults:
    """The results that a round publishes when it closes, and the shuffled comments for its moderator."""

    figures: Sequence[Figure]
    #: The number of answers is shown as "at least" this number. It is 0 if no number can be shown.
    answered_at_least: int
    comments: Sequence[tuple[str, str]]


def count_answers(
    answers: Sequence[Answer],
    questions: Questions,
    *,
    asked_by_group: Mapping[str, int],
    joined_code_by_group: Mapping[str, str],
    floor: int = MIN_FLOOR,
) -> RoundResults:
    """Count the answers of a round.

    `asked_by_group` is the number of people who were asked in each group. `joined_code_by_group` is the code of the
    groups with which each group is counted, such as `lep+other`. A figure needs `floor` answers, which is five, or ten
    if several partnerships run the round.
    """
    people_asked: dict[str, int] = defaultdict(int)
    for group, people in asked_by_group.items():
        if people:
            people_asked[joined_code_by_group[group]] += people
    figures: list[Figure] = []
    for dimension in questions.dimensions:
        figures += _means(dimension.key, answers, people_asked, joined_code_by_group, floor)
    asked_outside = _asked_outside_small_groups(answers, people_asked, joined_code_by_group, floor)
    for expectation in questions.expectations:
        ticked = sum(expectation.key in answer.expects for answer in answers)
        share = _share(ticked, len(answers), asked_outside, floor)
        if share is not None:
            figures.append(Figure(expectation.key, ALL, share))
    return RoundResults(
        figures=figures,
        answered_at_least=_safe_answer_count(len(answers), asked_outside, floor),
        comments=_comments(answers, questions, floor),
    )


def _means(
    key: str,
    answers: Sequence[Answer],
    people_asked: Mapping[str, int],
    joined_code_by_group: Mapping[str, str],
    floor: int,
) -> list[Figure]:
    """Return the means of one dimension that can be published, for each group and for everyone."""
    scores: dict[str, list[int]] = {group: [] for group in people_asked}
    for answer in answers:
        if key in answer.scores:
            scores[joined_code_by_group[answer.group]].append(answer.scores[key])
    means = means_of(scores, asked=people_asked, floor=floor)
    # A single group is everyone, so one figure is enough.
    shown_means = means if len(people_asked) > 1 else {group: mean for group, mean in means.items() if group == ALL}
    return [Figure(key, group, mean) for group, mean in shown_means.items()]


def _asked_outside_small_groups(
    answers: Sequence[Answer], people_asked: Mapping[str, int], joined_code_by_group: Mapping[str, str], floor: int
) -> list[int]:
    """Return, for each group with fewer answers than the floor, how many people outside the group were asked."""
    sizes: dict[str, int] = dict.fromkeys(people_asked, 0)
    for answer in answers:
        sizes[joined_code_by_group[answer.group]] += 1
    all_people = sum(people_asked.values())
    return [all_people - people_asked[group] for group, size in sizes.items() if size < floor]


def _share(ticked: int, answered: int, outside: Sequence[int], floor: int) -> Decimal | None:
    """Return the share of answers with an expectation, to the nearest ten per cent.

    Returns None if the share could identify a person. That is so if fewer than `floor` people ticked the expectation,
    or fewer did not tick it. It is also so if a reader could work out how many people of a small group answered, within
    `SLACK`. `outside` is the number of people asked outside each small group.
    """
    if ticked < floor or answered - ticked < floor:
        return None
    share = _rounded(ticked, answered)
    needed_answers = _least_answers(share, floor)
    for asked_outside in outside:
        # Even if everyone outside the group answered, the group gave the rest of the answers that this share needs.
        least, most = needed_answers - asked_outside, floor - 1
        if most - least <= SLACK:
            return None
    return share


def _rounded(ticked: int, answered: int) -> Decimal:
    """Return the share in per cent, rounded to the nearest ten."""
    return (Decimal(10 * ticked) / answered).quantize(Decimal(1), ROUND_HALF_UP) * 10


def _least_answers(share: Decimal, floor: int) -> int:
    """Return the fewest answers that can give this share.

    At least `floor` people have ticked the box, and at least `floor` have not.
    """
    return next(
        answered
        for answered in itertools.count(2 * floor)
        if any(_rounded(ticked, answered) == share for ticked in range(floor, answered - floor + 1))
    )


def _safe_answer_count(answered: int, outside: Sequence[int], floor: int) -> int:
    """Return the number of answers, rounded down to a multiple of five, or 0 if it would reveal too much.

    So that the number reveals nothing about a small group, it is at most the floor, or half of the people asked outside
    that group (`SLACK` is 2).
    """
    for multiple_of_five in range(answered // MIN_FLOOR * MIN_FLOOR, floor - 1, -MIN_FLOOR):
        if all(multiple_of_five <= max(floor, asked_outside // SLACK) for asked_outside in outside):
            return multiple_of_five
    return 0


def _comments(answers: Sequence[Answer], questions: Questions, floor: int) -> list[tuple[str, str]]:
    """Return the comments on each question that has at least `floor` comments, shuffled within the question."""
    comments: list[tuple[str, str]] = []
    for comment in questions.comments:
        texts = [text for answer in answers if (text := answer.comments.get(comment.key, "").strip())]
        if len(texts) >= floor:
            random.SystemRandom().shuffle(texts)
            comments += [(comment.key, text) for text in texts]
    return comments
