"""No fault loses an email of digests, and a repeated email keeps its Message-ID."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.fault, pytest.mark.slow]


@contextlib.contextmanager
def running(fault: str, people: int) -> Iterator[subprocess.Popen[str]]:
    """Provide a stage with real processes, which all end with it."""
    environ = {name: value for name, value in os.environ.items() if name != "DEBUG"}
    command = [sys.executable, "benchmarks/digests_faults.py", fault, "--people", str(people)]
    with tempfile.TemporaryFile("w+") as complaints:
        stage = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
        )
        try:
            yield stage
            assert stage.stdin
            stage.stdin.close()
            assert stage.wait(60) == 0
        except BaseException:
            complaints.seek(0)
            sys.stderr.write(complaints.read()[-3000:])
            raise
        finally:
            if stage.poll() is None:
                end_with_children(stage)


Play = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Plays faults one after another on one stage, each while 120 people are emailed."""
    with running("from_input", 120) as stage:

        def played(fault: str, times: int = 0, seconds: float = 2.0) -> dict[str, Any]:
            assert stage.stdin
            stage.stdin.write(json.dumps({"fault": fault, "times": times, "seconds": seconds}) + "\n")
            stage.stdin.flush()
            return figures_of(stage)

        yield played


def figures_of(stage: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what became of the emails of a fault."""
    assert stage.stdout
    figures: dict[str, Any] = json.loads(stage.stdout.readline() or "{}")
    assert figures, "The stage ended."
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


def test_a_faulty_mail_server_loses_no_email() -> None:
    with running("smtp", 80) as stage:
        figures = figures_of(stage)

    assert_nothing_was_lost(figures, repeats=6)  # the server accepted these and did not confirm them
    assert figures["statuses"]["failed"] > 0, figures


def test_killing_workers_and_beat_loses_no_email(play: Play) -> None:
    figures = play("kill", times=2)

    assert_nothing_was_lost(figures, repeats=30)


def test_a_missing_and_then_flushed_broker_loses_no_email(play: Play) -> None:
    figures = play("broker", times=2)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["publish_seconds"] < 20, figures  # trying the broker again for each of 120 people takes longer


def test_a_killed_broker_that_restarts_empty_loses_no_email(play: Play) -> None:
    figures = play("broker_killed", times=2, seconds=1)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["done"] == {"killed and back empty": 2}, figures


def test_stopping_for_a_deployment_repeats_no_email(play: Play) -> None:
    figures = play("term", times=2)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["done"] == {"stopped and started": 2}, figures


def test_a_database_outage_during_sending_loses_no_email(play: Play) -> None:
    figures = play("database", times=1, seconds=4)

    assert_nothing_was_lost(figures, repeats=10)


def test_publishing_does_not_wait_for_a_missing_mail_server(play: Play) -> None:
    figures = play("smtp_down", times=1, seconds=1)

    assert_nothing_was_lost(figures, repeats=0)
    assert figures["publish_seconds"] < 20, figures


def test_two_workers_and_two_beats_email_everybody_once(play: Play) -> None:
    figures = play("twins")

    assert_nothing_was_lost(figures, repeats=0)
