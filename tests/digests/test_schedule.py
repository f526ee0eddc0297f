"""Digests are due by hours, working days, bank holidays and pauses, also on nights when clocks change."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.digests.schedule import Rhythm, due, local_day, moment_of, next_slot
from partnerships.kit.bank_holidays import holidays

MINUTES = dt.timedelta(minutes=1)


def utc(text: str) -> dt.datetime:
    """Return the time in an ISO text, which is in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("day", "hour", "zone", "expected"),
    [
        ("2026-11-24", 8, "Europe/London", "2026-11-24T08:00"),
        ("2026-07-01", 8, "Europe/London", "2026-07-01T07:00"),
        ("2027-03-28", 1, "Europe/London", "2027-03-28T01:00"),  # 01:00 does not exist: the moment the clocks change
        ("2027-03-28", 2, "Europe/London", "2027-03-28T01:00"),
        ("2026-10-25", 1, "Europe/London", "2026-10-25T00:00"),  # 01:00 happens twice: the first one
        ("2026-10-25", 2, "Europe/London", "2026-10-25T02:00"),
        ("2026-11-01", 1, "America/New_York", "2026-11-01T05:00"),
        ("2026-11-24", 0, "Australia/Sydney", "2026-11-23T13:00"),
    ],
)
def test_an_hour_of_the_day_maps_to_one_moment(day: str, hour: int, zone: str, expected: str) -> None:
    assert moment_of(dt.date.fromisoformat(day), hour, zone) == utc(expected)


@pytest.mark.parametrize(
    ("rhythm", "after", "expected"),
    [
        (Rhythm("daily", 8), "2026-11-24T07:59", "2026-11-24T08:00"),
        (Rhythm("daily", 8), "2026-11-24T08:01", "2026-11-25T08:00"),
        (Rhythm("daily", 8), "2027-03-27T09:00", "2027-03-28T07:00"),  # still 08:00 local time
        (Rhythm("daily", 8), "2026-10-24T09:00", "2026-10-25T08:00"),
        (
            Rhythm("daily", 8, working_days_of="england-and-wales"),
            "2026-11-27T09:00",
            "2026-11-30T08:00",
        ),  # Friday to Monday
        (
            Rhythm("daily", 8, working_days_of="england-and-wales"),
            "2026-12-24T09:00",
            "2026-12-29T08:00",
        ),  # Christmas and its substitute holiday
        (Rhythm("weekly", 8, weekday=0), "2026-11-24T09:00", "2026-11-30T08:00"),
        (
            Rhythm("weekly", 8, weekday=0, working_days_of="england-and-wales"),
            "2027-05-01T09:00",
            "2027-05-04T07:00",
        ),  # May Day
        (Rhythm("daily", 8, paused_until=dt.date(2026, 12, 1)), "2026-11-24T09:00", "2026-12-01T08:00"),
        (Rhythm("biweekly", 8, weekday=1), "2026-11-24T09:00", "2026-12-01T08:00"),  # every second Tuesday
        (Rhythm("biweekly", 8, weekday=1), "2026-12-01T09:00", "2026-12-15T08:00"),  # the week between has none
        (Rhythm("biweekly", 8, weekday=0), "2027-03-23T09:00", "2027-04-05T07:00"),  # across a clock change
        (Rhythm("monthly", 8, weekday=0), "2026-11-24T09:00", "2026-12-07T08:00"),  # the first Monday
        (Rhythm("monthly", 8, weekday=3), "2027-03-05T09:00", "2027-04-01T07:00"),
        (
            Rhythm("monthly", 8, weekday=0, working_days_of="england-and-wales"),
            "2027-04-30T09:00",
            "2027-05-04T07:00",
        ),  # May Day
        (Rhythm("weekly", 2, weekday=6), "2026-10-19T09:00", "2026-10-25T02:00"),  # after the hour that happened twice
        (Rhythm("weekly", 9, weekday=6, zone="America/New_York"), "2026-10-26T09:00", "2026-11-01T14:00"),
    ],
)
def test_the_next_slot(rhythm: Rhythm, after: str, expected: str) -> None:
    assert next_slot(rhythm, after=utc(after), holidays=holidays()) == utc(expected)


def test_a_burst_of_changes_waits_for_quiet_up_to_a_limit() -> None:
    first_change = utc("2026-11-24T10:00")

    due_after_quiet = due(Rhythm(), waiting_since=first_change, latest=first_change + 3 * MINUTES, settle=10 * MINUTES)
    due_when_busy = due(Rhythm(), waiting_since=first_change, latest=first_change + 38 * MINUTES, settle=10 * MINUTES)

    assert due_after_quiet == first_change + 13 * MINUTES
    assert due_when_busy == first_change + 40 * MINUTES


def test_at_once_on_working_days_waits_for_monday_morning() -> None:
    saturday = utc("2026-11-28T11:00")

    due_at = due(Rhythm(working_days_of="england-and-wales"), waiting_since=saturday, latest=saturday, settle=MINUTES)

    assert due_at == utc("2026-11-30T08:00")


def test_a_date_that_already_had_its_digest_is_skipped() -> None:
    rhythm = Rhythm("daily", 8)

    slot = next_slot(rhythm, after=utc("2026-11-24T07:00"), taken={dt.date(2026, 11, 24)})

    assert slot == utc("2026-11-25T08:00")


@given(
    hour=st.integers(0, 23),
    start=st.dates(dt.date(2026, 1, 1), dt.date(2028, 1, 1)).map(lambda day: moment_of(day, 5, "Europe/London")),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    working=st.booleans(),
)
def test_there_is_one_daily_slot_per_local_date(hour: int, start: dt.datetime, zone: str, working: bool) -> None:
    rhythm = Rhythm("daily", hour, working_days_of="england-and-wales" if working else "", zone=zone)

    slots = []
    after = start
    for _ in range(10):
        after = next_slot(rhythm, after=after, holidays=holidays())
        slots.append(after)
        after += dt.timedelta(seconds=1)

    days = [local_day(slot, zone) for slot in slots]
    assert len(set(days)) == len(days)
    assert slots == sorted(slots)
    if not working:
        assert all((later - earlier).days == 1 for earlier, later in pairwise(days))


def test_a_summary_comes_up_to_three_times_on_chosen_days() -> None:
    rhythm = Rhythm(frequency="daily", hour=8, more_hours=1 << 12 | 1 << 16, days=0b0010001)  # Monday and Friday
    moments = []
    moment = utc("2026-11-27T07:00")  # a Friday
    for _ in range(4):
        moment = next_slot(rhythm, after=moment)
        moments.append(moment)
        moment += MINUTES

    assert [f"{moment:%a %H}" for moment in moments] == ["Fri 08", "Fri 12", "Fri 16", "Mon 08"]


def test_a_pause_with_a_first_day_holds_nothing_back_before_it() -> None:
    rhythm = Rhythm(frequency="daily", hour=8, paused_from=dt.date(2026, 11, 28), paused_until=dt.date(2026, 12, 3))

    assert next_slot(rhythm, after=utc("2026-11-27T07:00")) == utc("2026-11-27T08:00")
    assert next_slot(rhythm, after=utc("2026-11-27T09:00")) == utc("2026-12-03T08:00")


def test_at_once_waits_for_a_chosen_day() -> None:
    saturday = utc("2026-11-28T10:00")
    rhythm = Rhythm(hour=8, days=0b0011111)

    assert due(rhythm, waiting_since=saturday, latest=saturday, settle=MINUTES) == utc("2026-11-30T08:00")


def test_days_that_working_days_exclude_do_not_wait_for_ever() -> None:
    rhythm = Rhythm(frequency="daily", hour=8, days=1 << 6, working_days_of="england-and-wales")  # Sundays only

    assert next_slot(rhythm, after=utc("2026-11-27T07:00")) == utc("2026-11-27T08:00")
