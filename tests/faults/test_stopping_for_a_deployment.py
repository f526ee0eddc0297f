"""A worker that is stopped while a mail server is slow sends no email twice."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import Celery
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from partnerships.outbox.draining import drain
from partnerships.outbox.models import Email
from partnerships.outbox.services import record_email
from tests.faults.site import ROOT, until
from tests.outbox.mail_server import MailServer, mail_server
from tests.support.ledger import rewrite
from tests.support.roles import limited_role
from tests.world import World, make_world

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PEOPLE = [f"person{number}@council{number}.example" for number in range(40)]
#: Whose emails the server keeps waiting: one of these people, and one more who gets a code later.
SLOW, LATER = PEOPLE[3], "later@council.example"


@pytest.fixture
def world(transactional_db: None) -> World:
    """Return the small world, without the emails of its set-up."""
    world = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return world


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server({}) as running:
        yield running


def start(database: str, server: MailServer, folder: Path, *command: str) -> subprocess.Popen[bytes]:
    """Return a process that sends through this server, in a group of its own."""
    environ = os.environ | {
        "DATABASE_URL": database,
        "DATABASE_WORKER_URL": "",
        "DATABASE_OWNER_URL": "",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "EMAIL_TIMEOUT": "10",
        "EMAIL_DATA_TIMEOUT": "60",
        "DEBUG": "1",
    }
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
        )


def record(*addresses: str) -> None:
    """Record an account email to each person, which workers may send, too."""
    with transaction.atomic():
        for address in addresses:
            body = {"subject": "A code", "text": "123456\n"}
            record_email(kind="people.account", address=address, secrets=body, now=timezone.now())
        waiting = Email.objects.filter(status="queued")  # of those being sent, it is the end of the lease
        waiting.update(available_at=timezone.now() - dt.timedelta(minutes=1))


def send_the_rest(server: MailServer, settings: Any) -> None:
    """Send what another sender sends at once after the stop."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port
    settings.EMAIL_USE_TLS = False
    drain(seconds=30)


def processes_that_wait(worker: int, server: MailServer) -> int:
    """Return how many of a worker's processes have a connection to the mail server."""
    children = psutil.Process(worker).children()
    return sum(
        any(peer.raddr and peer.raddr.port == server.port for peer in child.net_connections()) for child in children
    )


def until_both_wait(worker: int, server: MailServer, log: Path) -> None:
    """Wake the worker until two of its processes hold an email that the server keeps waiting."""
    broker = Celery(broker=os.environ["REDIS_URL"], set_as_current=False)

    def wake() -> None:
        broker.send_task("partnerships.outbox.tasks.drain", expires=30)
        time.sleep(0.2)

    def has_come(address: str) -> bool:
        wake()
        return bool(server.received[address])

    until(lambda: has_come(SLOW), seconds=60, details=log.read_text)
    record(LATER)  # all others are claimed by the process that waits
    until(lambda: has_come(LATER), seconds=40)
    assert processes_that_wait(worker, server) == 2


def end_once_answered(stopped: subprocess.Popen[bytes], server: MailServer) -> None:
    """Ask a process to stop, which waits for the answers of the mail server and then ends."""
    with pytest.raises(subprocess.TimeoutExpired):
        stopped.wait(3)
    server.released.set()
    stopped.wait(50)


@pytest.mark.parametrize("stop", [os.kill, os.killpg], ids=["first process", "all processes"])
def test_worker_stopped_while_emails_hang_repeats_none(
    world: World, server: MailServer, tmp_path: Path, settings: Any, stop: Callable[[int, int], None]
) -> None:
    server.behaviours = {SLOW: "held", LATER: "held"}
    record(*PEOPLE)
    with limited_role("worker") as database:
        worker = start(database, server, tmp_path, "-m", "housing.worker")
        until_both_wait(worker.pid, server, tmp_path / "log")
        stop(worker.pid, signal.SIGTERM)
        end_once_answered(worker, server)
    statuses = set(Email.objects.filter(address__in=[*PEOPLE, LATER]).values_list("status", flat=True))
    send_the_rest(server, settings)

    assert statuses <= {"queued", "sent"}
    assert server.received == dict.fromkeys([*PEOPLE, LATER], 1)


def test_account_sender_stopped_while_an_email_hangs_repeats_none(
    world: World, server: MailServer, tmp_path: Path, settings: Any
) -> None:
    server.behaviours = {SLOW: "held"}
    record(*PEOPLE)
    with limited_role("worker") as database:
        sender = start(database, server, tmp_path, "-m", "housing.account_sender")
        until(lambda: bool(server.received[SLOW]), seconds=60, details=(tmp_path / "log").read_text)
        sender.terminate()
        end_once_answered(sender, server)
    statuses = set(Email.objects.filter(address__in=PEOPLE).values_list("status", flat=True))
    send_the_rest(server, settings)

    assert statuses <= {"queued", "sent"}
    assert server.received == dict.fromkeys(PEOPLE, 1)
