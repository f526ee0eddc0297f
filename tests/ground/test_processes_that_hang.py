"""A process that notifies its supervisor is restarted when the notifications stop. Beat has a heartbeat."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from housing import main_loop, watching
from housing.beat import BeatingScheduler
from housing.heartbeats import (
    BEAT,
    SENDER,
    STALE_SECONDS,
    forget,
    on_this_machine,
    record_heartbeat,
    seconds_since_seen,
)
from housing.notifying import ALIVE, READY, at_most_every, notify, say_alive
from housing.watching import beat_hangs, watch
from partnerships.kit.operators import wait_for_alerts
from tools.embedded.processes import Child

ROOT = Path(__file__).resolve().parent.parent.parent
SAYS_ALIVE = """
import time
from housing.notifying import ALIVE, notify
while True:
    notify(ALIVE)
    time.sleep(0.05)
"""


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for up to a minute until the condition is true."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.fault
def test_a_process_that_is_frozen_is_restarted(tmp_path: Path) -> None:
    child = Child(
        name="beat",
        argv=[sys.executable, "-c", SAYS_ALIVE],
        log=tmp_path / "beat.log",
        cwd=ROOT,
        notify=tmp_path / "alive",
        alive_within=1.0,
    )
    child.start()
    try:
        wait_for(lambda: not child.restart_if_hanging(now=time.monotonic()) and child._alive_at > 0)
        frozen = child.pid
        assert frozen
        os.kill(frozen, signal.SIGSTOP)

        wait_for(lambda: child.restart_if_hanging(now=time.monotonic()))

        assert child.is_running
        assert child.pid != frozen
        wait_for(lambda: not child.restart_if_hanging(now=time.monotonic()) and child._alive_at > 0)
    finally:
        child.stop()


def test_a_process_that_has_not_notified_yet_may_go_on_starting(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = Child(name="beat", argv=sleep, log=tmp_path / "beat.log", notify=tmp_path / "alive", stop_seconds=1)
    child.start()

    assert not child.restart_if_hanging(now=time.monotonic() + 1_000)
    child.stop()
    assert not (tmp_path / "alive").exists()


@pytest.fixture
def scheduler(db: None, monkeypatch: pytest.MonkeyPatch) -> BeatingScheduler:
    """Return a scheduler that has no jobs, and whose next tick is in five seconds."""
    monkeypatch.setattr("celery.beat.Scheduler.tick", lambda self: 5.0)
    monkeypatch.setattr("housing.beat.close_old_connections", lambda: None)  # the test's connection stays open
    return BeatingScheduler.__new__(BeatingScheduler)  # without Celery's own set-up


def test_beat_notifies_at_each_tick(
    scheduler: BeatingScheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "alive"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "alive"))

        seconds_to_next_tick = scheduler.tick()

        notifications = listener.recv(100).decode().split()
    assert seconds_to_next_tick == 5.0
    assert notifications == [READY, ALIVE]


def test_beat_records_its_heartbeat_at_each_tick(scheduler: BeatingScheduler) -> None:
    with CaptureQueriesContext(connection) as captured:
        scheduler.tick()

    assert any("INSERT INTO housing_heartbeat" in query["sql"] for query in captured.captured_queries)
    assert [process for process, _, _ in seconds_since_seen()] == [BEAT]


def test_a_beat_that_was_stopped_is_not_missing(scheduler: BeatingScheduler) -> None:
    scheduler.tick()

    scheduler.close()

    assert seconds_since_seen() == []


def test_a_process_goes_on_without_its_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))

    notify(ALIVE)


def test_a_process_notifies_no_more_often_than_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "alive"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "alive"))
        say = at_most_every(1_000, say_alive)

        say()
        say()

        assert listener.recv(100).decode() == ALIVE
        with pytest.raises(BlockingIOError):
            listener.recv(100)


@pytest.mark.django_db
def test_a_worker_tells_operators_that_beat_hangs(
    settings: Any, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    settings.ADMINS = [("Operators", "operators@ground.example")]
    ages = iter([70.0, 85.0])
    monkeypatch.setattr(watching, "CHECK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "heartbeat_age", lambda name: next(ages))
    monkeypatch.setattr(watching, "queue_figures", dict)

    with pytest.raises(StopIteration):
        watch()

    wait_for_alerts(seconds=60)
    assert [email.subject for email in mailoutbox] == ["[Common Ground] Celery beat has stopped"]


def test_beat_hangs_only_if_its_heartbeat_is_old_at_two_checks() -> None:
    old, new = STALE_SECONDS + 1, 3.0

    assert beat_hangs(old, old + 15)
    assert not beat_hangs(new, old)
    assert not beat_hangs(old, new)
    assert not beat_hangs(None, None), "Beat has not started, or is a different scheduler."


@pytest.mark.django_db
def test_health_has_no_age_before_the_first_heartbeat(client: Client) -> None:
    assert client.get("/health/ready/").json() == {"ready": True, "beat_seconds": None}


@pytest.fixture
def heartbeat_of_90_seconds_ago(db: None) -> None:
    """Record a heartbeat of beat, 90 seconds ago."""
    record_heartbeat(BEAT)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE housing_heartbeat SET at = at - interval '90 seconds'")


@pytest.mark.usefixtures("heartbeat_of_90_seconds_ago")
def test_health_reports_the_age_of_the_heartbeat(client: Client) -> None:
    age = client.get("/health/ready/").json()["beat_seconds"]

    assert 90 <= age < 300


@pytest.mark.usefixtures("heartbeat_of_90_seconds_ago")
def test_metrics_report_the_age_of_the_heartbeat(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "prometheus-may-read"

    page = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"}).content.decode()

    (line,) = [line for line in page.splitlines() if line.startswith("beat_seconds_since_tick ")]
    assert 90 <= float(line.split()[1]) < 300


@pytest.mark.django_db
def test_a_worker_is_not_seen_at_work_while_it_has_no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    connecting = iter([True, False])
    seen = list[bool]()
    monkeypatch.setattr(watching, "CHECK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "queue_figures", lambda: seen.append(bool(seconds_since_seen())) or {})
    monkeypatch.setattr(main_loop, "is_connecting", lambda: next(connecting))

    with pytest.raises(StopIteration):
        watch()

    assert seen == [False, False, True]


@pytest.mark.django_db
def test_metrics_say_when_a_process_was_last_seen_on_each_machine(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "prometheus-may-read"
    sender = on_this_machine(SENDER)
    record_heartbeat(BEAT, "worker@stopped-on-purpose", "worker@taken-away", sender)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE housing_heartbeat SET at = at - interval '7 hours' WHERE name = 'worker@taken-away'")
    forget("worker@stopped-on-purpose")

    page = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"}).content.decode()

    machine = sender.partition("@")[2]
    (line,) = [line for line in page.splitlines() if line.startswith("background_seconds_since_seen{")]
    assert line.startswith(f'background_seconds_since_seen{{machine="{machine}",process="sender"}}')
