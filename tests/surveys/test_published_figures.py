"""No figure comes from fewer than five answers, and no small group can be worked out from published figures."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import pytest

from partnerships.kit import disclosed_means
from partnerships.kit.disclosed_means import ALL, Scale, is_safe, means_of
from partnerships.surveys.bodies import join_small_groups
from partnerships.surveys.counting import Answer, count_answers
from partnerships.surveys.questions import Comment, Dimension, Expectation, Questions
from tests.surveys.attacking import DIMENSIONS, generate_round, most_publishable, recovered


def test_attacker_learns_no_small_group_from_two_hundred_rounds() -> None:
    assert [seed for seed in range(200) if recovered(generate_round(seed))] == []


def test_attacker_would_learn_from_means_that_were_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosed_means, "is_safe", lambda *args: True)

    assert any(recovered(generate_round(seed)) for seed in range(200))


def test_nine_in_ten_of_what_could_safely_be_published_is_published() -> None:
    published = possible = 0
    for seed in range(40):
        survey_round = generate_round(seed)
        published += len(survey_round.figures)
        possible += sum(most_publishable(survey_round, theme) for theme in DIMENSIONS)

    assert published >= 0.9 * possible


def test_groups_of_four_are_hidden_and_so_is_what_would_show_them() -> None:
    scores = {"council": [3] * 6, "association": [4] * 8, "other": [2] * 4}
    asked = {"council": 6, "association": 8, "other": 5}

    means = means_of(scores, asked=asked)

    assert "other" not in means
    assert len(means) == 2  # one more is hidden, so that nobody can subtract
    assert is_safe(means, {group: len(group_scores) for group, group_scores in scores.items()}, asked)
    unsafe_means = {**means, ALL: Decimal("3.2"), "council": Decimal(3), "association": Decimal(4)}
    assert not is_safe(unsafe_means, {group: len(group_scores) for group, group_scores in scores.items()}, asked)


def test_mean_near_an_end_does_not_say_what_everybody_answered() -> None:
    assert Scale().shown([5, 5, 5, 5, 5]) == Scale().shown([5, 5, 5, 5, 3]) == Decimal("4.5")
    assert Scale().shown([1, 1, 1, 1, 1]) == Decimal("1.5")


def test_means_are_rounded_as_a_reader_would_round_them() -> None:
    chance = random.Random(1)
    for _ in range(200):
        scores = [chance.randint(1, 5) for _ in range(chance.randint(5, 12))]
        low, high = Scale().bounds(Scale().shown(scores))
        assert low <= sum(scores) / len(scores) <= high


def test_groups_in_which_fewer_than_five_are_asked_are_counted_with_another() -> None:
    assert join_small_groups({"council": 6, "association": 8, "lep": 2, "other": 3}) == {
        "council": "council",
        "association": "association",
        "lep": "lep+other",
        "other": "lep+other",
    }
    assert set(join_small_groups({"council": 3, "lep": 9}).values()) == {"council+lep"}


def _answers(number: int, **more: object) -> list[Answer]:
    """Return this many equal answers of councils, each with a score of 4 for trust."""
    return [Answer("council", {"trust": 4}, **more) for _ in range(number)]  # type: ignore[arg-type]


ASKED = Questions(
    "Small",
    "en",
    [Dimension("trust", "Trust", "…")],
    [Expectation("plans", "council", "Plans")],
    [Comment("why", "Why?")],
)


def test_share_that_tells_how_many_of_a_small_group_answered_is_not_shown() -> None:
    # Of 36 people asked, 34 or more must have answered if five ticks or more round to 10 per cent.
    # A reader would learn that three or four of the five people in the small group answered.
    asked = {"council": 31, "other": 5}
    counted = {"council": "council", "other": "other"}
    answers = [*_answers(5, expects=["plans"], comments={}), *_answers(26, expects=[], comments={})]
    others = [Answer("other", {}, [], {}) for _ in range(4)]

    unsafe = count_answers([*answers, *others], ASKED, asked_by_group=asked, joined_code_by_group=counted)
    safe = count_answers(
        [*answers, *others], ASKED, asked_by_group={**asked, "council": 40}, joined_code_by_group=counted
    )

    assert [figure for figure in unsafe.figures if figure.theme == "plans"] == []
    assert [figure.value for figure in safe.figures if figure.theme == "plans"] == [10]


@pytest.mark.parametrize(("ticked", "answered", "share"), [(4, 12, None), (8, 12, None), (6, 12, 50), (7, 20, 40)])
def test_share_is_shown_only_if_five_ticked_it_and_five_did_not(ticked: int, answered: int, share: int | None) -> None:
    answers = _answers(ticked, expects=["plans"], comments={}) + _answers(answered - ticked, expects=[], comments={})

    outcome = count_answers(answers, ASKED, asked_by_group={"council": 30}, joined_code_by_group={"council": "council"})

    assert [figure.value for figure in outcome.figures if figure.theme == "plans"] == ([] if share is None else [share])


def test_comments_need_five_and_come_in_no_order() -> None:
    texts = [f"Comment {number}" for number in range(12)]
    answers = [Answer("council", {}, [], {"why": text}) for text in texts]
    orders = [
        [
            text
            for _, text in count_answers(
                answers, ASKED, asked_by_group={"council": 12}, joined_code_by_group={"council": "council"}
            ).comments
        ]
        for _ in range(5)
    ]

    assert all(sorted(order) == sorted(texts) for order in orders)
    assert any(order != texts for order in orders)
    outcome = count_answers(
        answers[:4], ASKED, asked_by_group={"council": 12}, joined_code_by_group={"council": "council"}
    )
    assert not outcome.comments


def test_number_of_answers_is_shown_in_fives_and_not_at_all_below_five() -> None:
    for answered, shown in ((4, 0), (5, 5), (9, 5), (10, 10), (14, 10)):
        outcome = count_answers(
            _answers(answered, expects=[], comments={}),
            ASKED,
            asked_by_group={"council": 30},
            joined_code_by_group={"council": "council"},
        )
        assert outcome.answered_at_least == shown


def test_every_set_of_means_that_is_published_was_found_safe() -> None:
    chance = random.Random(7)
    for _ in range(100):
        asked = {group: chance.randint(5, 12) for group in "abc"}
        scores = {group: [chance.randint(1, 5) for _ in range(chance.randint(0, asked[group]))] for group in asked}
        sizes = {group: len(some) for group, some in scores.items()}
        means = means_of(scores, asked=asked)
        larger = [
            set(some)
            for size in range(len(means) + 1, 5)
            for some in itertools.combinations([ALL, *asked], size)
            if all(len(scores.get(one, [])) >= 5 for one in some if one) and sum(sizes.values()) >= 5
        ]
        everyone = [score for some in scores.values() for score in some]
        assert is_safe(means, sizes, asked)
        for some in larger:
            shown = {one: Scale().shown(scores[one] if one else everyone) for one in some}
            assert not is_safe(shown, sizes, asked)
