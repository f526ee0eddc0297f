"""Digests under real faults, in reduced size: nobody is missed, and a repeat carries its first Message-ID."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.fault, pytest.mark.slow]


def play(fault: str, people: int, times: int, seconds: float = 2.0) -> dict[str, Any]:
    """Play a fault in processes of its own, all of which end with it, whatever happens."""
    environ = {name: value for name, value in os.environ.items() if name != "DEBUG"}
    command = [sys.executable, "benchmarks/digests_faults.py", fault, "--people", str(people), "--times", str(times)]
    with subprocess.Popen(
        [*command, "--seconds", str(seconds)],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as played:
        try:
            out, complaints = played.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            end_with_children(played)
            raise
    assert played.returncode == 0, complaints[-3000:]
    figures: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return figures


def end_with_children(played: subprocess.Popen[str]) -> None:
    """Ask it to end what it started, and end what is left."""
    family = psutil.Process(played.pid).children(recursive=True)
    played.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        played.wait(40)
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    played.kill()


def assert_everybody_was_told(figures: dict[str, Any], *, repeats: int) -> None:
    assert figures["lost"] == 0, figures
    assert figures["most_repeats_a_person"] <= 1, figures
    assert figures["other_message_ids"] == 0, figures
    assert figures["repeated"] <= repeats, figures
    assert not {"queued", "sending"} & set(figures["statuses"]), figures


def test_killing_workers_and_the_clock_loses_nobody() -> None:
    figures = play("kill", people=200, times=3)

    assert_everybody_was_told(figures, repeats=30)


def test_a_broker_that_is_away_and_then_flushed_loses_nobody() -> None:
    figures = play("broker", people=200, times=3)

    assert_everybody_was_told(figures, repeats=0)
    assert figures["publish_seconds"] < 5, figures


def test_a_broker_that_is_killed_and_comes_back_empty_loses_nobody() -> None:
    figures = play("broker_killed", people=200, times=2, seconds=1)

    assert_everybody_was_told(figures, repeats=0)
    assert figures["done"] == {"killed and back empty": 2}, figures


def test_stopping_for_a_deployment_repeats_nothing() -> None:
    figures = play("term", people=200, times=2)

    assert_everybody_was_told(figures, repeats=0)
    assert figures["done"] == {"stopped and started": 2}, figures


def test_a_database_cut_off_while_letters_leave_loses_nobody() -> None:
    figures = play("database", people=200, times=1, seconds=4)

    assert_everybody_was_told(figures, repeats=10)


def test_a_mail_server_that_refuses_hangs_and_hangs_up_loses_nobody() -> None:
    figures = play("smtp", people=80, times=0)

    assert_everybody_was_told(figures, repeats=6)  # those whose server took the letter and did not say so
    assert figures["statuses"]["failed"] > 0, figures


def test_a_mail_server_that_is_away_holds_up_nobody_who_publishes() -> None:
    figures = play("smtp_down", people=60, times=1, seconds=1)

    assert_everybody_was_told(figures, repeats=0)
    assert figures["publish_seconds"] < 2, figures


def test_two_workers_and_two_clocks_tell_everybody_once() -> None:
    figures = play("twins", people=200, times=0)

    assert_everybody_was_told(figures, repeats=0)
