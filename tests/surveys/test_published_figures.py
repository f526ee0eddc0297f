"""No figure comes from fewer than five answers, and no small group can be worked out from published figures."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.kit import disclosed_means
from partnerships.kit.disclosed_means import ALL, Scale, is_safe, means_of
from partnerships.surveys.bodies import join_small_groups
from partnerships.surveys.counting import Answer, RoundResults, count_answers
from partnerships.surveys.questions import Comment, Dimension, Expectation, Questions
from tests.surveys.attacking import DIMENSIONS, generate_round, most_publishable, recovered


def test_attacker_learns_no_small_group_from_two_hundred_rounds() -> None:
    seeds_that_reveal_a_group = [seed for seed in range(200) if recovered(generate_round(seed))]

    assert seeds_that_reveal_a_group == []


def test_attacker_would_learn_from_means_that_were_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosed_means, "is_safe", lambda *args: True)

    seeds_that_reveal_a_group = [seed for seed in range(200) if recovered(generate_round(seed))]

    assert seeds_that_reveal_a_group != []


def test_nine_in_ten_of_what_could_safely_be_published_is_published() -> None:
    rounds = [generate_round(seed) for seed in range(40)]

    published = sum(len(survey_round.figures) for survey_round in rounds)
    publishable = sum(most_publishable(survey_round, theme) for survey_round in rounds for theme in DIMENSIONS)
    assert published >= 0.9 * publishable


ASKED_BY_GROUP = {"council": 6, "association": 8, "other": 5}
ANSWERED_BY_GROUP = {"council": 6, "association": 8, "other": 4}


def test_mean_of_four_answers_is_hidden_with_another_mean() -> None:
    scores = {"council": [3] * 6, "association": [4] * 8, "other": [2] * 4}

    means = means_of(scores, asked=ASKED_BY_GROUP)

    assert "other" not in means
    assert len(means) == 2  # of three: with both others, a reader could subtract
    assert is_safe(means, ANSWERED_BY_GROUP, ASKED_BY_GROUP)


def test_means_from_which_a_reader_could_subtract_are_not_safe() -> None:
    means = {ALL: Decimal("3.2"), "council": Decimal(3), "association": Decimal(4)}

    assert not is_safe(means, ANSWERED_BY_GROUP, ASKED_BY_GROUP)


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ([5, 5, 5, 5, 5], Decimal("4.5")),
        ([5, 5, 5, 5, 3], Decimal("4.5")),
        ([1, 1, 1, 1, 1], Decimal("1.5")),
    ],
    ids=["highest", "nearly the highest", "lowest"],
)
def test_mean_near_an_end_does_not_say_what_everybody_answered(scores: list[int], shown: Decimal) -> None:
    assert Scale().shown(scores) == shown


@given(st.lists(st.integers(1, 5), min_size=5, max_size=12))
def test_mean_lies_within_the_bounds_of_the_shown_mean(scores: list[int]) -> None:
    shown = Scale().shown(scores)

    low, high = Scale().bounds(shown)
    assert low <= sum(scores) / len(scores) <= high


def test_groups_in_which_fewer_than_five_are_asked_are_joined() -> None:
    joined_codes = join_small_groups({"council": 6, "association": 8, "lep": 2, "other": 3})

    assert joined_codes == {
        "council": "council",
        "association": "association",
        "lep": "lep+other",
        "other": "lep+other",
    }


def test_only_small_group_is_joined_with_a_larger_one() -> None:
    joined_codes = join_small_groups({"council": 3, "lep": 9})

    assert joined_codes == {"council": "council+lep", "lep": "council+lep"}


def _answers(number: int, *, expects: Sequence[str] = ()) -> list[Answer]:
    """Return this many equal answers of councils, each with a score of 4 for trust."""
    return [Answer("council", {"trust": 4}, expects, {}) for _ in range(number)]


QUESTIONS = Questions(
    "Small",
    "en",
    [Dimension("trust", "Trust", "…")],
    [Expectation("plans", "council", "Plans")],
    [Comment("why", "Why?")],
)


def count(answers: Sequence[Answer], asked_by_group: dict[str, int]) -> RoundResults:
    """Return what is published of these answers, if no group is joined with another."""
    return count_answers(
        answers,
        QUESTIONS,
        asked_by_group=asked_by_group,
        joined_code_by_group={group: group for group in asked_by_group},
    )


def shares(outcome: RoundResults) -> list[Decimal]:
    """Return the published shares of people who expect plans: one, or none if it is hidden."""
    return [figure.value for figure in outcome.figures if figure.theme == "plans"]


#: Five of 31 councils expect plans. Four of the five people in a small group answered.
ANSWERS_OF_A_SMALL_GROUP = [*_answers(5, expects=["plans"]), *_answers(26), *[Answer("other", {}, [], {})] * 4]


def test_share_that_tells_how_many_of_a_small_group_answered_is_hidden() -> None:
    # Of 36 people asked, 34 or more must have answered if five ticks or more round to 10 per cent.
    # A reader would learn that three or four of the five people in the small group answered.
    outcome = count(ANSWERS_OF_A_SMALL_GROUP, {"council": 31, "other": 5})

    assert shares(outcome) == []


def test_share_is_shown_if_more_people_might_have_answered() -> None:
    outcome = count(ANSWERS_OF_A_SMALL_GROUP, {"council": 40, "other": 5})

    assert shares(outcome) == [10]


@pytest.mark.parametrize(("ticked", "not_ticked"), [(4, 8), (8, 4)])
def test_share_is_hidden_if_fewer_than_five_gave_an_answer(ticked: int, not_ticked: int) -> None:
    outcome = count(_answers(ticked, expects=["plans"]) + _answers(not_ticked), {"council": 30})

    assert shares(outcome) == []


@pytest.mark.parametrize(("ticked", "not_ticked", "share"), [(6, 6, 50), (7, 13, 40)])
def test_share_is_shown_if_five_gave_each_answer(ticked: int, not_ticked: int, share: int) -> None:
    outcome = count(_answers(ticked, expects=["plans"]) + _answers(not_ticked), {"council": 30})

    assert shares(outcome) == [share]


COMMENTS = [f"Comment {number}" for number in range(12)]


def answers_with_comments(number: int) -> list[Answer]:
    """Return this many answers of councils with a comment each, in order."""
    return [Answer("council", {}, [], {"why": text}) for text in COMMENTS[:number]]


def test_comments_come_in_random_order() -> None:
    answers = answers_with_comments(12)

    orders = [[text for _key, text in count(answers, {"council": 12}).comments] for _ in range(5)]

    assert all(set(order) == set(COMMENTS) for order in orders)
    assert any(order != COMMENTS for order in orders)


def test_four_comments_are_hidden() -> None:
    outcome = count(answers_with_comments(4), {"council": 12})

    assert not outcome.comments


@pytest.mark.parametrize(("answered", "shown"), [(4, 0), (5, 5), (9, 5), (10, 10), (14, 10)])
def test_number_of_answers_is_rounded_down_to_fives(answered: int, shown: int) -> None:
    outcome = count(_answers(answered), {"council": 30})

    assert outcome.answered_at_least == shown


@dataclass(frozen=True)
class Scores:
    """Random scores of three groups, and how many people were asked."""

    by_group: dict[str, list[int]]
    asked: dict[str, int]

    @property
    def answered(self) -> dict[str, int]:
        """Return how many people of each group answered."""
        return {group: len(scores) for group, scores in self.by_group.items()}

    def shown_means(self, groups: Iterable[str]) -> dict[str, Decimal]:
        """Return the mean of each of these groups, as pages show it."""
        scores_of = {**self.by_group, ALL: list(itertools.chain.from_iterable(self.by_group.values()))}
        return {group: Scale().shown(scores_of[group]) for group in groups}

    def sets_larger_than(self, size: int) -> list[tuple[str, ...]]:
        """Return the sets of more groups than `size`, in each of which five people or more answered."""
        answered = {ALL: sum(self.answered.values()), **self.answered}
        large_groups = [group for group, number in answered.items() if number >= 5]
        sizes = range(size + 1, len(large_groups) + 1)
        return [groups for larger_size in sizes for groups in itertools.combinations(large_groups, larger_size)]


def random_scores(seed: int) -> Scores:
    """Return scores of up to twelve people in each of three groups; some did not answer."""
    chance = random.Random(seed)
    asked = {group: chance.randint(5, 12) for group in ("council", "association", "other")}
    by_group = {
        group: [chance.randint(1, 5) for _ in range(chance.randint(0, number))] for group, number in asked.items()
    }
    return Scores(by_group, asked)


@pytest.mark.parametrize("seed", range(100))
def test_published_means_are_safe(seed: int) -> None:
    scores = random_scores(seed)

    means = means_of(scores.by_group, asked=scores.asked)

    assert is_safe(means, scores.answered, scores.asked)


@pytest.mark.parametrize("seed", range(100))
def test_no_larger_set_of_means_would_be_safe(seed: int) -> None:
    scores = random_scores(seed)

    means = means_of(scores.by_group, asked=scores.asked)

    safe_sets = [
        groups
        for groups in scores.sets_larger_than(len(means))
        if is_safe(scores.shown_means(groups), scores.answered, scores.asked)
    ]
    assert safe_sets == []
