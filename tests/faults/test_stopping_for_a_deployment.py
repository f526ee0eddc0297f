"""A worker that is stopped while a mail server is slow sends no email twice."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from partnerships.outbox.models import Email
from partnerships.outbox.services import record_email
from tests.faults.site import ROOT, until
from tests.outbox.mail_server import MailServer, mail_server
from tests.support.ledger import rewrite
from tests.support.roles import limited_role
from tests.world import World, make_world

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PEOPLE = [f"person{number}@council{number}.example" for number in range(40)]
#: Asks the worker for a drain.
WAKE = """
import django
django.setup()
from partnerships.outbox.tasks import wake
wake()
"""


@pytest.fixture
def world(transactional_db: None) -> World:
    """The small world, without the emails of its set-up."""
    made = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return made


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server({}) as running:
        yield running


def start(database: str, server: MailServer, folder: Path, *command: str) -> subprocess.Popen[bytes]:
    """A process that sends through this server, in a group of its own."""
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


def record() -> None:
    """An account email to everybody."""
    with transaction.atomic():
        for address in PEOPLE:
            body = {"subject": "A code", "text": "123456\n"}
            record_email(kind="people.account", address=address, secrets=body, now=timezone.now())


def test_worker_stopped_while_emails_hang_repeats_none(world: World, server: MailServer, tmp_path: Path) -> None:
    slow = PEOPLE[3:5]
    server.at_the_end = dict.fromkeys(slow, "slow:8")
    record()
    Email.objects.open().update(available_at=timezone.now() - dt.timedelta(minutes=1))
    with limited_role("worker") as database:
        worker = start(database, server, tmp_path, "-m", "housing.worker")
        waker = start(database, server, tmp_path, "-c", WAKE)
        until(lambda: bool(server.received[slow[0]]), seconds=60, details=(tmp_path / "log").read_text)
        stopped = time.monotonic()
        os.kill(worker.pid, signal.SIGTERM)
        worker.wait(60)
        took = time.monotonic() - stopped
        waker.wait(30)
        statuses = set(Email.objects.filter(address__in=PEOPLE).values_list("status", flat=True))
        second = start(database, server, tmp_path, "-m", "housing.account_sender")
        until(lambda: not Email.objects.open().exists(), seconds=60)
        second.terminate()
        second.wait(60)

    assert took > 4  # it waited for the answers
    assert statuses <= {"queued", "sent"}
    assert server.received == dict.fromkeys(PEOPLE, 1)


def test_account_sender_stopped_while_an_email_hangs_repeats_none(
    world: World, server: MailServer, tmp_path: Path
) -> None:
    server.at_the_end = {PEOPLE[3]: "slow:8"}
    record()
    with limited_role("worker") as database:
        sender = start(database, server, tmp_path, "-m", "housing.account_sender")
        until(lambda: bool(server.received[PEOPLE[3]]), seconds=60, details=(tmp_path / "log").read_text)
        sender.terminate()
        sender.wait(60)
        statuses = set(Email.objects.filter(address__in=PEOPLE).values_list("status", flat=True))
        second = start(database, server, tmp_path, "-m", "housing.account_sender")
        until(lambda: not Email.objects.open().exists(), seconds=60)
        second.terminate()
        second.wait(60)

    assert statuses <= {"queued", "sent"}
    assert server.received == dict.fromkeys(PEOPLE, 1)
