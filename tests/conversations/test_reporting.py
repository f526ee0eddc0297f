"""Progress reports have the right periods, due days and questions."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from partnerships.conversations.forms.reports import questions_as_lines, questions_from_lines
from partnerships.conversations.reporting import (
    USUAL_QUESTIONS,
    add_months,
    period_in_words,
    periods,
    working_days_after,
)

D = dt.date


def test_periods_are_half_open_and_follow_each_other() -> None:
    period_days = list(periods(D(2026, 4, 1), "quarter", D(2027, 1, 1)))

    assert period_days == [
        (D(2026, 4, 1), D(2026, 7, 1)),
        (D(2026, 7, 1), D(2026, 10, 1)),
        (D(2026, 10, 1), D(2027, 1, 1)),
    ]


def test_period_has_not_ended_on_its_last_day() -> None:
    assert list(periods(D(2026, 4, 1), "month", D(2026, 4, 30))) == []


def test_months_from_the_31st_end_on_the_last_day_of_shorter_months() -> None:
    assert add_months(D(2026, 1, 31), 1) == D(2026, 2, 28)
    assert add_months(D(2026, 1, 31), 2) == D(2026, 3, 31)


def test_weekends_and_bank_holidays_are_no_working_days() -> None:
    assert working_days_after(D(2026, 4, 2), 1, {D(2026, 4, 3), D(2026, 4, 6)}) == D(2026, 4, 7)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (D(2026, 4, 1), D(2026, 5, 1), "April 2026"),
        (D(2026, 4, 1), D(2026, 7, 1), "April to June 2026"),
        (D(2026, 10, 1), D(2027, 4, 1), "October 2026 to March 2027"),
        (D(2026, 4, 6), D(2026, 5, 6), "6 April 2026 to 5 May 2026"),
    ],
)
def test_period_in_words(start: dt.date, end: dt.date, words: str) -> None:
    assert period_in_words(start, end) == words


def test_questions_that_stay_keep_their_code() -> None:
    lines = questions_as_lines(USUAL_QUESTIONS).splitlines()

    questions = questions_from_lines("\n".join(["Money: Spent and left.", lines[2]]), USUAL_QUESTIONS)

    assert [(question["code"], question["heading"]) for question in questions] == [("q6", "Money"), ("q3", "Risks")]


def test_two_questions_with_one_heading_are_refused() -> None:
    with pytest.raises(ValidationError, match="once"):
        questions_from_lines("Risks\nRisks: again", ())
