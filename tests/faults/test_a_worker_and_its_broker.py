"""A worker goes on when its broker drops its connections, and ends when its main thread hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from celery import Celery
from django.conf import settings

from housing.notifying import EXIT_STALLED
from tests.faults.site import ROOT, until
from tools.embedded.valkey import Valkey

pytestmark = [pytest.mark.fault, pytest.mark.slow]

#: A worker whose main thread hangs from the first round of its loop on. Neither queue nor beat is wrong.
HANGING = """
import sys, time
from housing import worker
from django.conf import settings
settings.SECRET_KEY
import django
django.setup()
from celery.signals import worker_ready
from housing import main_loop, watching
def hang(sender, **kwargs):
    sender.hub.call_soon(time.sleep, 600)
worker_ready.connect(hang)
main_loop.HANGING_SECONDS = 1.0
watching.CHECK_EVERY_SECONDS = watching.STOP_SECONDS = 0.2
watching.queue_figures = dict
watching.heartbeat_age = lambda name: None
watching.is_read_only = lambda: False
watching.record_heartbeat = lambda name: None
sys.exit(worker.main())
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Valkey]:
    """Provide a broker of this test alone, because it drops the connections of everybody."""
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory() as sockets:
        valkey = Valkey(folder=tmp_path / "redis", sockets=Path(sockets), log=tmp_path / "valkey.log")
        valkey.start()
        try:
            yield valkey
        finally:
            valkey.child.stop()


@contextmanager
def worker(broker: Valkey, log: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Provide a worker that takes tasks from this broker, in a group of its own."""
    environ = os.environ | {
        "REDIS_URL": broker.url,
        "SECRET_KEY": settings.SECRET_KEY,
        "WORKER_CONCURRENCY": "1",
        "LOG_LEVEL": "INFO",
        "OPERATORS": "",
        "DEBUG": "1",
    }
    with log.open("ab") as said:
        running = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environ, stdout=said, stderr=said, start_new_session=True
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait(10)


def do_task(broker: Valkey, log: Path) -> None:
    """Send a task of Celery's own, which needs no database, and wait until it is done."""
    with Celery(broker=broker.url, set_as_current=False) as queue:
        task = queue.send_task("celery.accumulate", args=[1])
    until(lambda: f"[{task.id}] succeeded" in log.read_text(), seconds=60, details=log.read_text)


def test_a_worker_goes_on_after_its_broker_dropped_its_connections(broker: Valkey, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with worker(broker, log, "-m", "housing.worker") as running:
        do_task(broker, log)

        # As sentinels do with a primary that is to follow another one.
        with redis.Redis(unix_socket_path=str(broker.socket)) as client:
            for kind in ("pubsub", "normal"):
                client.client_kill_filter(_type=kind, skipme=True)
                do_task(broker, log)

        assert running.poll() is None


def test_a_worker_whose_main_thread_hangs_ends_with_a_code_that_says_so(broker: Valkey, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with worker(broker, log, "-c", HANGING) as running:
        until(lambda: running.poll() is not None, seconds=60, details=log.read_text)

        assert running.returncode == EXIT_STALLED, log.read_text()[-2_000:]
