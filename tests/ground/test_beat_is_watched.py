"""A beat that hangs is seen and restarted: a real beat process, stopped by SIGSTOP."""

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
from housing.embedded.processes import Child
from housing.heartbeats import BEAT, STALE_SECONDS, heartbeat_age, note_heartbeat
from housing.run import Supervisor
from housing.watchdog import EXIT_BEAT_HANGS, beat_hangs, watch
from partnerships.kit.operators import wait_for_alerts
from tests.faults.relay import Relay

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "celery", "-A", "housing", "beat", "--loglevel", "INFO", "--pidfile="]


@pytest.fixture
def beat(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Celery's clock as it is started, on this test's database; its broker is away."""
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


def until(holds: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def ticked_within(seconds: float) -> bool:
    age = heartbeat_age(BEAT)
    return age is not None and age < seconds


@pytest.mark.fault
@pytest.mark.slow
def test_a_stopped_beat_ends_the_watchdog_and_the_operators_are_told(
    beat: subprocess.Popen[bytes],
    client: Client,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    mailoutbox: list[EmailMessage],
) -> None:
    settings.ADMINS = [("Operators", "operators@ground.example")]
    monkeypatch.setattr(watchdog, "STALE_SECONDS", 8.0)
    until(lambda: ticked_within(2), seconds=60)
    assert client.get("/health/ready/").json()["beat_seconds"] < 8
    time.sleep(7)
    assert ticked_within(7), "It ticks again and again."

    beat.send_signal(signal.SIGSTOP)

    assert watch(look_every=1) == EXIT_BEAT_HANGS
    wait_for_alerts(seconds=10)
    assert [email.subject for email in mailoutbox] == ["[Common Ground] Beat hangs"]
    assert client.get("/health/ready/").json()["beat_seconds"] >= 8


def test_only_a_heartbeat_that_is_old_twice_is_a_beat_that_hangs() -> None:
    old, new = STALE_SECONDS + 1, 3.0

    assert beat_hangs(old, old + 15)
    assert not beat_hangs(new, old)
    assert not beat_hangs(old, new)
    assert not beat_hangs(None, None), "A beat that never ticked is of another kind, or not started yet."


@pytest.mark.django_db
def test_health_and_metrics_tell_the_age_of_the_heartbeat(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "prometheus-may-read"
    assert client.get("/health/ready/").json() == {"ready": True, "beat_seconds": None}

    note_heartbeat(BEAT)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE housing_heartbeat SET at = at - interval '90 seconds'")

    assert 90 <= client.get("/health/ready/").json()["beat_seconds"] < 100
    page = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"}).content.decode()
    (line,) = [line for line in page.splitlines() if line.startswith("beat_seconds_since_tick ")]
    assert 90 <= float(line.split()[1]) < 100


def test_the_supervisor_restarts_the_beat_that_hangs(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    worker = Child(name="worker", argv=sleep, log=tmp_path / "worker.log", patience=1)
    beat = Child(name="beat", argv=sleep, log=tmp_path / "beat.log", patience=1)
    ends = [sys.executable, "-c", f"raise SystemExit({EXIT_BEAT_HANGS})"]
    dog = Child(name="watchdog", argv=ends, log=tmp_path / "dog.log", patience=1)
    for child in (worker, beat, dog):
        child.start()
    assert dog.process
    assert beat.pid
    dog.process.wait()
    dog.argv = sleep
    first, kept = beat.pid, worker.pid
    os.kill(first, signal.SIGSTOP)

    Supervisor(var=tmp_path).look_after(worker=worker, beat=beat, watchdog=dog)

    assert beat.is_running
    assert beat.pid != first
    assert worker.pid == kept
    assert dog.is_running
    for child in (worker, beat, dog):
        child.stop()
