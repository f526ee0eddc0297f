"""The setting TESTS_AT moves all clocks of the tests to one moment."""

from __future__ import annotations

import pytest
import time_machine

from tools.embedded import clock
from tools.embedded.processes import UnableToStart


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the library that changes the clock, as if it were installed."""
    monkeypatch.setenv("LIBFAKETIME", "/opt/libfaketimeMT.so.1")


@time_machine.travel("2026-07-01 12:00 +0000", tick=False)
def test_clocks_are_as_far_ahead_as_the_moment_is_in_london() -> None:
    environ = clock.showing("2026-07-01 23:30")

    assert environ["LD_PRELOAD"] == "/opt/libfaketimeMT.so.1"
    assert environ["FAKETIME"] == f"+{10 * 3600 + 1800}"
    assert clock.showing("2026-06-30 13:00")["FAKETIME"] == f"-{24 * 3600}"


def test_services_get_the_clock_that_this_process_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in clock.NAMES:
        monkeypatch.delenv(name, raising=False)
    assert clock.shown() == {}

    monkeypatch.setenv("FAKETIME", "+60")

    assert clock.shown() == {"FAKETIME": "+60"}


def test_the_error_names_a_wrong_moment_or_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnableToStart, match="TESTS_AT is “tomorrow”"):
        clock.showing("tomorrow")

    monkeypatch.delenv("LIBFAKETIME")
    monkeypatch.setattr(clock, "PLACES", ("/nowhere", "*"))

    with pytest.raises(UnableToStart, match="apt-get install libfaketime"):
        clock.showing("2028-02-29 23:30")
