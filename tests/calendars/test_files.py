"""Calendar files are read by Thunderbird's parser as they were meant."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.kit.calendars import CalendarEntry, CalendarKind, write_feed
from tests.calendars.reading import read_all

LONDON = ZoneInfo("Europe/London")
CHANGED = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)


def entry(key: str = "meeting-1", **more: object) -> CalendarEntry:
    fields = {"title": "Steering group", "starts": dt.date(2027, 3, 1)} | more
    return CalendarEntry(kind=CalendarKind.MEETING, key=key, path="/", changed_at=CHANGED, **fields)  # type: ignore[arg-type]


def test_times_around_the_change_of_clocks_are_the_same_moments_elsewhere() -> None:
    moments = [
        dt.datetime(year, month, day, hour, tzinfo=dt.UTC)
        for year, spring, autumn in ((2026, 29, 25), (2027, 28, 31), (2028, 26, 29))
        for month, sunday in ((3, spring), (10, autumn))
        for day in (sunday - 1, sunday)
        for hour in (0, 1, 3, 9, 23)
    ]

    [read] = read_all(write_feed([entry(f"m-{at:%Y%m%d%H}", starts=at, minutes=90) for at in moments], name="Dates"))

    assert read.zones == ["Europe/London"]
    assert [event["starts"]["moment"] for event in read.events] == [int(at.timestamp()) for at in moments]
    assert [event["ends"]["moment"] - event["starts"]["moment"] for event in read.events] == [5_400] * len(moments)


def test_days_have_no_time_and_end_the_day_after() -> None:
    [read] = read_all(write_feed([entry()], name="Dates"))

    [event] = read.events
    assert event["starts"]["day"] == "2027-03-01"
    assert event["ends"]["day"] == "2027-03-02"
    assert read.zones == []


@pytest.mark.parametrize(
    "words",
    [
        "Homes; land, and a \\ backslash",
        "First line\nsecond line",
        "Tŷ Gwyn – “quoted” 🏠" * 12,
        "BEGIN:VEVENT\r\nSUMMARY:Not ours",
        "<script>alert(1)</script> =1+1",
    ],
)
def test_hostile_words_are_written_as_text_in_short_lines(words: str) -> None:
    written = write_feed([entry(title=words, place=words, within=words)], name=words)

    [calendar] = read_all(written)
    [event] = calendar.events
    assert event["title"] == words.replace("\r\n", "\n")
    assert event["place"] == event["title"]
    # RFC 5545 limits a line to 75 octets.
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))


@given(st.text(max_size=200))
def test_any_words_are_written_in_short_lines(words: str) -> None:
    written = write_feed([entry(title=words, note=words)], name="Dates")

    assert written.count(b"BEGIN:VEVENT") == 1
    assert all(len(line) <= 75 and b"\n" not in line for line in written.split(b"\r\n"))
