"""The right body is responsible for a function on each day of random histories."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations.responsibility import Life, NoSingleBody, Step, Tie, responsible_body
from tests.organisations.histories import FUNCTIONS, START, History, check_answers, check_undoing, histories, undoing

#: Enough histories for the suite; `make bench-successions` checks 100,000.
thorough = settings(max_examples=300)
days = st.integers(-40, 700).map(lambda after: START + dt.timedelta(days=after))
functions = st.sampled_from(FUNCTIONS)


def on(text: str) -> PartialDate:
    """Return a date from its text."""
    return PartialDate.parse(text)


@thorough
@given(histories(), functions, days)
def test_every_function_has_one_body_or_a_reason_and_nothing_is_lost(
    history: History, function: str, day: dt.date
) -> None:
    check_answers(history, function, day)


@thorough
@given(histories(), functions, days, st.randoms(use_true_random=False))
def test_the_order_of_recording_does_not_matter(history: History, function: str, day: dt.date, random: Random) -> None:
    shuffled_steps = list(history.steps)
    random.shuffle(shuffled_steps)

    for body in history.origins:
        answer = responsible_body(function=function, body=body, day=day, steps=history.steps)
        answer_to_shuffled_steps = responsible_body(function=function, body=body, day=day, steps=shuffled_steps)
        assert answer_to_shuffled_steps == answer


@thorough
@given(histories(), functions, days)
def test_undoing_a_succession_restores_the_parts_before_it(history: History, function: str, day: dt.date) -> None:
    check_undoing(history, function, day)


#: The numbers of bodies in the examples below.
DISTRICT, SECOND_DISTRICT, EAST, WEST, UNITED = 1, 2, 3, 4, 5
VESTING_DAY = dt.date(2027, 4, 1)


def vesting_step(*ties: Tie, ends: bool = True) -> Step:
    """Return a succession with these ties on the vesting day."""
    return Step(1, known_day(VESTING_DAY), ties, ends=ends)


def test_a_body_is_responsible_on_the_day_before_its_succession() -> None:
    split = vesting_step(Tie(DISTRICT, EAST), Tie(DISTRICT, WEST))

    answer = responsible_body(function="highways", body=DISTRICT, day=dt.date(2027, 3, 31), steps=[split])

    assert answer.body == DISTRICT


def test_two_successors_without_shares_are_responsible_jointly() -> None:
    split = vesting_step(Tie(DISTRICT, EAST), Tie(DISTRICT, WEST))

    answer = responsible_body(function="highways", body=DISTRICT, day=VESTING_DAY, steps=[split])

    assert answer.reason == NoSingleBody.DIVIDED
    assert answer.parts == {frozenset({EAST, WEST}): 1}


def test_two_successors_with_shares_are_each_responsible_for_their_share() -> None:
    split = vesting_step(Tie(DISTRICT, EAST, share=Fraction(2, 5)), Tie(DISTRICT, WEST, share=Fraction(3, 5)))

    answer = responsible_body(function="highways", body=DISTRICT, day=VESTING_DAY, steps=[split])

    assert answer.parts == {frozenset({EAST}): Fraction(2, 5), frozenset({WEST}): Fraction(3, 5)}


def test_a_body_formed_by_two_joint_holders_is_solely_responsible() -> None:
    split = vesting_step(Tie(DISTRICT, EAST), Tie(DISTRICT, WEST))
    merger = Step(2, on("2030-04-01"), (Tie(EAST, UNITED), Tie(WEST, UNITED)))

    answer = responsible_body(function="planning", body=DISTRICT, day=dt.date(2030, 4, 1), steps=[split, merger])

    assert answer.body == UNITED


@pytest.mark.parametrize(
    ("function", "body"),
    [
        pytest.param("business_representation", EAST, id="first function that passes on"),
        pytest.param("strategic_economic_planning", WEST, id="second function that passes on"),
        pytest.param("government_programmes", DISTRICT, id="function that stays"),
    ],
)
def test_two_functions_of_a_body_go_to_two_bodies(function: str, body: int) -> None:
    transfer = vesting_step(
        Tie(DISTRICT, EAST, function="business_representation"),
        Tie(DISTRICT, WEST, function="strategic_economic_planning"),
        ends=False,
    )

    answer = responsible_body(function=function, body=DISTRICT, day=VESTING_DAY, steps=[transfer])

    assert answer.body == body


def test_a_nominated_body_is_not_responsible() -> None:
    nomination = vesting_step(Tie(DISTRICT, EAST, "nominated"))

    answer = responsible_body(function="housing", body=DISTRICT, day=VESTING_DAY, steps=[nomination])

    assert answer.body is None
    assert answer.reason == NoSingleBody.NOBODY


def test_a_caretaker_is_responsible_before_a_hosting_body() -> None:
    succession = vesting_step(Tie(DISTRICT, EAST, "caretaker"), Tie(DISTRICT, WEST, "hosting"))

    answer = responsible_body(function="housing", body=DISTRICT, day=VESTING_DAY, steps=[succession])

    assert answer.body == EAST


def test_a_successor_is_responsible_before_a_caretaker() -> None:
    succession = vesting_step(Tie(DISTRICT, EAST, "caretaker"), Tie(DISTRICT, WEST))

    answer = responsible_body(function="housing", body=DISTRICT, day=VESTING_DAY, steps=[succession])

    assert answer.body == WEST


@pytest.mark.parametrize(
    ("day", "body", "reason"),
    [
        pytest.param(dt.date(2028, 3, 31), DISTRICT, None, id="before the month"),
        pytest.param(dt.date(2028, 4, 1), None, NoSingleBody.DAY_UNKNOWN, id="first day of the month"),
        pytest.param(dt.date(2028, 4, 29), None, NoSingleBody.DAY_UNKNOWN, id="last but one day of the month"),
        pytest.param(dt.date(2028, 4, 30), EAST, None, id="last day of the month"),
    ],
)
def test_a_vesting_day_known_to_the_month_leaves_the_month_open(
    day: dt.date, body: int | None, reason: NoSingleBody | None
) -> None:
    succession = Step(1, on("2028-04"), (Tie(DISTRICT, EAST),))

    answer = responsible_body(function="housing", body=DISTRICT, day=day, steps=[succession])

    assert answer.body == body
    assert answer.reason == reason


@pytest.mark.parametrize(
    ("day", "body", "reason"),
    [
        pytest.param(dt.date(2000, 3, 31), None, NoSingleBody.NOT_YET, id="before its first day"),
        pytest.param(dt.date(2020, 3, 31), DISTRICT, None, id="on its last day"),
        pytest.param(dt.date(2020, 4, 1), None, NoSingleBody.NOBODY, id="after its last day"),
    ],
)
def test_a_body_without_successions_is_responsible_while_it_exists(
    day: dt.date, body: int | None, reason: NoSingleBody | None
) -> None:
    lives = {DISTRICT: Life(dt.date(2000, 4, 1), dt.date(2020, 4, 1))}

    answer = responsible_body(function="housing", body=DISTRICT, day=day, steps=[], lives=lives)

    assert answer.body == body
    assert answer.reason == reason


#: A merger of both districts, undone a year later.
UNDONE_ON = dt.date(2028, 4, 1)
MERGER = vesting_step(Tie(DISTRICT, UNITED), Tie(SECOND_DISTRICT, UNITED))
UNDOING_OF_MERGER = undoing(2, MERGER, known_day(UNDONE_ON))


@pytest.mark.parametrize("body", [DISTRICT, SECOND_DISTRICT])
def test_each_predecessor_is_responsible_again_once_a_merger_is_undone(body: int) -> None:
    answer = responsible_body(function="housing", body=body, day=UNDONE_ON, steps=[MERGER, UNDOING_OF_MERGER])

    assert answer.body == body


def test_functions_of_a_merged_body_itself_go_to_both_once_the_merger_is_undone() -> None:
    answer = responsible_body(function="housing", body=UNITED, day=UNDONE_ON, steps=[MERGER, UNDOING_OF_MERGER])

    assert answer.body is None
    assert answer.parts == {frozenset({DISTRICT, SECOND_DISTRICT}): 1}


@pytest.mark.parametrize(
    ("body", "day", "responsible"),
    [
        pytest.param(DISTRICT, dt.date(2028, 3, 31), EAST, id="absorbed body before the undoing"),
        pytest.param(DISTRICT, UNDONE_ON, DISTRICT, id="absorbed body after the undoing"),
        pytest.param(EAST, UNDONE_ON, EAST, id="body that absorbed it"),
    ],
)
def test_a_body_that_absorbed_another_keeps_its_own_functions_once_that_is_undone(
    body: int, day: dt.date, responsible: int
) -> None:
    absorption = vesting_step(Tie(DISTRICT, EAST))
    undoing_step = undoing(2, absorption, known_day(UNDONE_ON), lasting={EAST})

    answer = responsible_body(function="housing", body=body, day=day, steps=[absorption, undoing_step])

    assert answer.body == responsible
