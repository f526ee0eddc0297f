"""A hanging beat is noticed and restarted; the test stops a real beat with SIGSTOP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client

from housing import watchdog
from housing.heartbeats import BEAT, STALE_SECONDS, heartbeat_age, record_heartbeat
from housing.watchdog import EXIT_BEAT_HANGS, beat_hangs, watch
from partnerships.kit.operators import wait_for_alerts
from tests.faults.relay import Relay
from tools.embedded.processes import Child
from tools.serving import Hanging

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "celery", "-A", "housing", "beat", "--loglevel", "INFO", "--pidfile="]


@pytest.fixture
def beat(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running beat on the test database, without a broker."""
    relay = Relay()
    relay.join()
    environ = os.environ | {
        "DATABASE_URL": relay.url(),
        "DATABASE_OWNER_URL": "",
        "REDIS_URL": "memory://",
        "DEBUG": "1",
    }
    with (tmp_path / "beat.log").open("wb") as log:
        process = subprocess.Popen(COMMAND, cwd=ROOT, env=environ, stdout=log, stderr=log)
        yield process
        process.kill()
        process.wait()
    relay.cut()


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def ticked_within(seconds: float) -> bool:
    age = heartbeat_age(BEAT)
    return age is not None and age < seconds


@pytest.mark.fault
@pytest.mark.slow
def test_watchdog_exits_and_alerts_operators_when_beat_stops(
    beat: subprocess.Popen[bytes],
    client: Client,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    mailoutbox: list[EmailMessage],
) -> None:
    settings.ADMINS = [("Operators", "operators@ground.example")]
    monkeypatch.setattr(watchdog, "STALE_SECONDS", 8.0)
    wait_for(lambda: ticked_within(2), seconds=60)
    assert client.get("/health/ready/").json()["beat_seconds"] < 8
    time.sleep(7)
    assert ticked_within(7), "Beat keeps ticking."

    beat.send_signal(signal.SIGSTOP)

    assert watch(check_every=1) == EXIT_BEAT_HANGS
    wait_for_alerts(seconds=10)
    assert [email.subject for email in mailoutbox] == ["[Common Ground] Beat hangs"]
    assert client.get("/health/ready/").json()["beat_seconds"] >= 8


def test_beat_hangs_only_if_its_heartbeat_is_old_at_two_looks() -> None:
    old, new = STALE_SECONDS + 1, 3.0

    assert beat_hangs(old, old + 15)
    assert not beat_hangs(new, old)
    assert not beat_hangs(old, new)
    assert not beat_hangs(None, None), "Beat has not started, or is a different scheduler."


@pytest.mark.django_db
def test_health_and_metrics_report_the_age_of_the_heartbeat(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "prometheus-may-read"
    assert client.get("/health/ready/").json() == {"ready": True, "beat_seconds": None}

    record_heartbeat(BEAT)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE housing_heartbeat SET at = at - interval '90 seconds'")

    assert 90 <= client.get("/health/ready/").json()["beat_seconds"] < 100
    page = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"}).content.decode()
    (line,) = [line for line in page.splitlines() if line.startswith("beat_seconds_since_tick ")]
    assert 90 <= float(line.split()[1]) < 100


def test_make_run_restarts_a_hanging_beat(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    worker = Child(name="worker", argv=sleep, log=tmp_path / "worker.log", stop_seconds=1)
    beat = Child(name="beat", argv=sleep, log=tmp_path / "beat.log", stop_seconds=1)
    ends = [sys.executable, "-c", f"raise SystemExit({EXIT_BEAT_HANGS})"]
    dog = Child(name="watchdog", argv=ends, log=tmp_path / "dog.log", stop_seconds=1)
    for child in (worker, beat, dog):
        child.start()
    assert dog.process
    assert beat.pid
    dog.process.wait()
    dog.argv = sleep
    first, worker_pid = beat.pid, worker.pid
    os.kill(first, signal.SIGSTOP)

    Hanging(worker=worker, beat=beat, watchdog=dog).restart()

    assert beat.is_running
    assert beat.pid != first
    assert worker.pid == worker_pid
    assert dog.is_running
    for child in (worker, beat, dog):
        child.stop()
