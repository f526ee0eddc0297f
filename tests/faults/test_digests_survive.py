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
