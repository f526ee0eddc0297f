"""Digests under real faults: no email is lost, and a repeated one keeps its Message-ID."""

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
    """Play a fault in separate processes, which all end with it."""
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
    """Ask a process to stop, then kill it and its children."""
    family = psutil.Process(played.pid).children(recursive=True)
    played.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        played.wait(40)
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    played.kill()


def assert_nothing_was_lost(figures: dict[str, Any], *, repeats: int) -> None:
    assert figures["lost"] == 0, figures
    assert figures["max_repeats_per_person"] <= 1, figures
    assert figures["other_message_ids"] == 0, figures
    assert figures["repeated"] <= repeats, figures
    assert not {"queued", "sending"} & set(figures["statuses"]), figures


def test_killing_workers_and_beat_loses_no_email() -> None:
    figures = play("kill", people=200, times=3)

    assert_nothing_was_lost(figures, repeats=30)


def test_a_missing_and_then_flushed_broker_loses_no_email() -> None:
    figures = play("broker", people=200, times=3)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["publish_seconds"] < 5, figures


def test_a_killed_broker_that_restarts_empty_loses_no_email() -> None:
    figures = play("broker_killed", people=200, times=2, seconds=1)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["done"] == {"killed and back empty": 2}, figures


def test_stopping_for_a_deployment_repeats_no_email() -> None:
    figures = play("term", people=200, times=2)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["done"] == {"stopped and started": 2}, figures


def test_a_database_outage_during_sending_loses_no_email() -> None:
    figures = play("database", people=200, times=1, seconds=4)

    assert_nothing_was_lost(figures, repeats=10)


def test_a_faulty_mail_server_loses_no_email() -> None:
    figures = play("smtp", people=80, times=0)

    assert_nothing_was_lost(figures, repeats=6)  # the server accepted these and did not confirm them
    assert figures["statuses"]["failed"] > 0, figures


def test_publishing_does_not_wait_for_a_missing_mail_server() -> None:
    figures = play("smtp_down", people=60, times=1, seconds=1)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["publish_seconds"] < 2, figures


def test_two_workers_and_two_beats_email_everybody_once() -> None:
    figures = play("twins", people=200, times=0)

    assert_nothing_was_lost(figures, repeats=0)
