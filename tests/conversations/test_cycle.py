"""Meeting cycles have the right days and descriptions, and texts are read as cycles."""

from __future__ import annotations

import datetime as dt

import pytest

from partnerships.conversations.cycle import (
    Cycle,
    MeetingDay,
    OnHoliday,
    RecognisedCycle,
    Unit,
    move_off_holiday,
    recognise_cycle,
)

DAY = dt.date
NEW_YEAR = DAY(2026, 1, 1)


def make_cycle(unit: Unit, interval: int, weekday: int = 1, position: int = 0, start: dt.date = NEW_YEAR) -> Cycle:
    return Cycle(unit, interval, weekday, position, start)


def test_first_tuesday_of_each_month() -> None:
    days = make_cycle(Unit.MONTHS, 1, position=1).days(after=DAY(2026, 1, 6), count=3)

    assert days == [DAY(2026, 2, 3), DAY(2026, 3, 3), DAY(2026, 4, 7)]


def test_last_friday_of_each_quarter_is_counted_from_its_first_month() -> None:
    cycle = make_cycle(Unit.MONTHS, 3, weekday=4, position=-1, start=DAY(2026, 2, 10))

    assert cycle.days(after=DAY(2026, 1, 1), count=3) == [DAY(2026, 2, 27), DAY(2026, 5, 29), DAY(2026, 8, 28)]


def test_every_six_weeks_counts_from_the_first_week() -> None:
    cycle = make_cycle(Unit.WEEKS, 6, start=DAY(2026, 1, 6))

    assert cycle.days(after=DAY(2026, 1, 5), count=3) == [DAY(2026, 1, 6), DAY(2026, 2, 17), DAY(2026, 3, 31)]


def test_cycle_never_gives_a_day_before_it_starts() -> None:
    cycle = make_cycle(Unit.MONTHS, 1, position=1, start=DAY(2026, 1, 20))

    assert cycle.next_day(after=DAY(2025, 6, 1)) == DAY(2026, 2, 3)


@pytest.mark.parametrize(
    ("cycle", "words"),
    [
        (make_cycle(Unit.MONTHS, 1, position=1), "Every first Tuesday of the month"),
        (make_cycle(Unit.WEEKS, 1), "Every Tuesday"),
        (make_cycle(Unit.WEEKS, 6), "Every six weeks, on a Tuesday"),
        (make_cycle(Unit.MONTHS, 3, position=-1), "Quarterly, on the last Tuesday of the month"),
        (make_cycle(Unit.MONTHS, 6, position=2), "Twice a year, on the second Tuesday of the month"),
        (make_cycle(Unit.MONTHS, 2, position=3), "Every two months, on the third Tuesday of the month"),
    ],
)
def test_cycle_says_its_days_in_words(cycle: Cycle, words: str) -> None:
    assert cycle.words == words


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("Monthly", RecognisedCycle(Unit.MONTHS, 1)),
        ("Quarterly", RecognisedCycle(Unit.MONTHS, 3)),
        ("At least four times a year", RecognisedCycle(Unit.MONTHS, 3)),
        ("every first Tuesday", RecognisedCycle(Unit.MONTHS, 1, 1, 1)),
        ("The first Tuesday of the month", RecognisedCycle(Unit.MONTHS, 1, 1, 1)),
        ("Last Friday of each quarter", RecognisedCycle(Unit.MONTHS, 3, 4, -1)),
        ("Every six weeks", RecognisedCycle(Unit.WEEKS, 6)),
        ("Six-weekly, on Thursdays", RecognisedCycle(Unit.WEEKS, 6, 3)),
        ("every other month", RecognisedCycle(Unit.MONTHS, 2)),
        ("Fortnightly", RecognisedCycle(Unit.WEEKS, 2)),
        ("Twice a year", RecognisedCycle(Unit.MONTHS, 6)),
        ("Half-yearly", RecognisedCycle(Unit.MONTHS, 6)),
        ("every Monday", RecognisedCycle(Unit.WEEKS, 1, 0)),
        ("Quarterly, on the 2nd Wednesday of the month", RecognisedCycle(Unit.MONTHS, 3, 2, 2)),
        ("Annually", RecognisedCycle(Unit.MONTHS, 12)),
    ],
)
def test_frequency_in_the_terms_is_recognised(text: str, guess: RecognisedCycle) -> None:
    assert recognise_cycle(text) == guess


@pytest.mark.parametrize("text", ["", "As needed", "Monthly, then quarterly", "Bimonthly", "Twice a month", "Often"])
def test_frequency_that_says_nothing_or_two_things_is_not_guessed(text: str) -> None:
    assert recognise_cycle(text) is None


def test_guess_takes_what_is_missing_from_the_first_day() -> None:
    cycle = RecognisedCycle(Unit.MONTHS, 1).cycle(DAY(2026, 3, 12))

    assert cycle.weekday == 3
    assert cycle.position == 2


@pytest.mark.parametrize(
    ("choice", "meeting_day"),
    [
        (OnHoliday.KEEP, MeetingDay(DAY(2026, 5, 4), is_holiday=True)),
        (OnHoliday.LATER, MeetingDay(DAY(2026, 5, 5), moved_from=DAY(2026, 5, 4))),
        (OnHoliday.EARLIER, MeetingDay(DAY(2026, 5, 1), moved_from=DAY(2026, 5, 4))),
    ],
)
def test_bank_holiday_is_kept_or_moved_to_a_working_day(choice: OnHoliday, meeting_day: MeetingDay) -> None:
    assert move_off_holiday(DAY(2026, 5, 4), {DAY(2026, 5, 4)}, choice) == meeting_day
