"""Digests under real faults, in reduced size: nobody is missed, and a repeat carries its first Message-ID."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.fault, pytest.mark.slow]


def play(fault: str, people: int, times: int) -> dict[str, Any]:
    """Play a fault in processes of its own."""
    environ = {name: value for name, value in os.environ.items() if name != "DEBUG"}
    done = subprocess.run(
        [sys.executable, "benchmarks/digests_faults.py", fault, "--people", str(people), "--times", str(times)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=420,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def assert_everybody_was_told_once(figures: dict[str, Any], *, repeats: int) -> None:
    assert figures["lost"] == 0, figures
    assert figures["most_repeats_a_person"] <= 1, figures
    assert figures["other_message_ids"] == 0, figures
    assert figures["repeated"] <= repeats, figures
    assert not {"queued", "sending"} & set(figures["statuses"]), figures


def test_killing_workers_and_the_clock_loses_nobody() -> None:
    figures = play("kill", people=500, times=3)

    assert_everybody_was_told_once(figures, repeats=30)


def test_a_flushed_broker_loses_nobody_and_repeats_nothing() -> None:
    figures = play("broker", people=500, times=2)

    assert_everybody_was_told_once(figures, repeats=0)


def test_a_database_cut_off_for_seconds_loses_nobody() -> None:
    figures = play("database", people=500, times=1)

    assert_everybody_was_told_once(figures, repeats=10)


def test_a_mail_server_that_misbehaves_gets_everything_to_everybody_in_the_end() -> None:
    figures = play("smtp", people=400, times=0)

    lost_after_data = 400 // 53 + 12
    assert_everybody_was_told_once(figures, repeats=lost_after_data)
    assert figures["statuses"]["failed"] >= 1
