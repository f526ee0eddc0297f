"""The right body is responsible for a function on each day of random histories."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.kit.dates import PartialDate
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
    shuffled = list(history.steps)
    random.shuffle(shuffled)

    for body in history.origins:
        arguments = {"function": function, "body": body, "day": day}
        assert responsible_body(steps=shuffled, **arguments) == responsible_body(steps=history.steps, **arguments)  # type: ignore[arg-type]


@thorough
@given(histories(), functions, days)
def test_undoing_a_succession_restores_the_parts_before_it(history: History, function: str, day: dt.date) -> None:
    check_undoing(history, function, day)


def test_two_councils_divide_a_county_by_area_or_jointly() -> None:
    ties = (Tie(1, 2), Tie(1, 3))
    split = Step(1, on("2027-04-01"), ties)
    by_area = Step(1, on("2027-04-01"), (Tie(1, 2, share=Fraction(2, 5)), Tie(1, 3, share=Fraction(3, 5))))

    before = responsible_body(function="highways", body=1, day=dt.date(2027, 3, 31), steps=[split])
    jointly = responsible_body(function="highways", body=1, day=dt.date(2027, 4, 1), steps=[split])
    shared = responsible_body(function="highways", body=1, day=dt.date(2027, 4, 1), steps=[by_area])

    assert before.body == 1
    assert (jointly.reason, jointly.parts) == (NoSingleBody.DIVIDED, {frozenset({2, 3}): 1})
    assert shared.parts == {frozenset({2}): Fraction(2, 5), frozenset({3}): Fraction(3, 5)}


def test_a_body_formed_by_two_joint_holders_is_solely_responsible() -> None:
    steps = [Step(1, on("2027-04-01"), (Tie(1, 2), Tie(1, 3))), Step(2, on("2030-04-01"), (Tie(2, 4), Tie(3, 4)))]

    assert responsible_body(function="planning", body=1, day=dt.date(2030, 4, 1), steps=steps).body == 4


def test_two_functions_of_a_lep_go_to_two_bodies_and_the_others_stay() -> None:
    ties = (Tie(1, 2, function="business_representation"), Tie(1, 3, function="strategic_economic_planning"))
    step = Step(1, on("2024-04-01"), ties, ends=False)
    day = dt.date(2024, 4, 1)

    bodies = [
        responsible_body(function=function, body=1, day=day, steps=[step]).body
        for function in ("business_representation", "strategic_economic_planning", "government_programmes")
    ]

    assert bodies == [2, 3, 1]


def test_a_nominated_body_does_not_answer_and_a_caretaker_gives_way_to_a_successor() -> None:
    nominated = Step(1, on("2027-04-01"), (Tie(1, 2, "nominated"),))
    caretaker = Step(1, on("2027-04-01"), (Tie(1, 2, "caretaker"), Tie(1, 3, "hosting")))
    successor = Step(1, on("2027-04-01"), (Tie(1, 2, "caretaker"), Tie(1, 3)))
    day = dt.date(2027, 4, 1)

    answers = [
        responsible_body(function="housing", body=1, day=day, steps=[answer])
        for answer in (nominated, caretaker, successor)
    ]

    assert [(answer.body, answer.reason) for answer in answers] == [(None, NoSingleBody.NOBODY), (2, None), (3, None)]


def test_a_vesting_day_known_to_the_month_leaves_the_month_open() -> None:
    step = Step(1, on("2028-04"), (Tie(1, 2),))

    answers = [
        responsible_body(function="housing", body=1, day=day, steps=[step])
        for day in (dt.date(2028, 3, 31), dt.date(2028, 4, 1), dt.date(2028, 4, 29), dt.date(2028, 4, 30))
    ]

    assert [(answer.body, answer.reason) for answer in answers] == [
        (1, None),
        (None, NoSingleBody.DAY_UNKNOWN),
        (None, NoSingleBody.DAY_UNKNOWN),
        (2, None),
    ]


def test_nobody_answers_before_a_body_begins_or_after_it_ended_alone() -> None:
    lives = {1: Life(dt.date(2000, 4, 1), dt.date(2020, 4, 1))}

    early = responsible_body(function="housing", body=1, day=dt.date(2000, 3, 31), steps=[], lives=lives)
    last = responsible_body(function="housing", body=1, day=dt.date(2020, 3, 31), steps=[], lives=lives)
    ended = responsible_body(function="housing", body=1, day=dt.date(2020, 4, 1), steps=[], lives=lives)

    assert early.reason == NoSingleBody.NOT_YET
    assert last.body == 1
    assert ended.reason == NoSingleBody.NOBODY


def test_functions_of_a_merged_body_itself_go_to_both_when_the_merger_is_undone() -> None:
    merger = Step(1, on("2027-04-01"), (Tie(1, 3), Tie(2, 3)))
    undoing_step = undoing(2, merger, on("2028-04-01"))
    day = dt.date(2028, 4, 1)

    answers = [
        responsible_body(function="housing", body=body, day=day, steps=[merger, undoing_step]) for body in (1, 2, 3)
    ]

    assert [answer.body for answer in answers] == [1, 2, None]
    assert answers[2].parts == {frozenset({1, 2}): 1}


def test_a_body_that_absorbed_another_keeps_its_own_when_that_is_undone() -> None:
    absorption = Step(1, on("2027-04-01"), (Tie(1, 2),))
    undoing_step = undoing(2, absorption, on("2028-04-01"), lasting={2})
    days_and_bodies = [(dt.date(2028, 3, 31), 1), (dt.date(2028, 4, 1), 1), (dt.date(2028, 4, 1), 2)]

    answers = [
        responsible_body(function="housing", body=body, day=day, steps=[absorption, undoing_step])
        for day, body in days_and_bodies
    ]

    assert [answer.body for answer in answers] == [2, 1, 2]
