"""Mail servers that are slow, hang or drop cause few duplicates, and affect no other recipients."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from partnerships.outbox import draining
from partnerships.outbox.content import Content
from partnerships.outbox.draining import drain
from partnerships.outbox.groups import NoticeGroup
from partnerships.outbox.kinds import DueEmail
from partnerships.outbox.leases import ClaimedEmail
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import record_email
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.models import User
from tests.outbox.mail_server import MailServer, mail_server
from tests.support.ledger import rewrite
from tests.world import World, make_world

KIND = "tests.notice"


def write(due: DueEmail, person: User, now: Any) -> Content:
    """Return a short email."""
    context = {"person": person, "event": None, "link": "http://localhost/"}
    return Content("people/new_sign_in", context)


register_emails(PersonEmail(KIND, "A notice of the tests", write, group=NoticeGroup.PLANS, lane=Lane.NOTICE))


@pytest.fixture
def world(db: None) -> World:
    """Return the small world, without the emails of its set-up."""
    small_world = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return small_world


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    """Allow a second for each command, two without progress, and four for the end of DATA."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_USE_TLS = False
    settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = ""
    settings.EMAIL_TIMEOUT = 1
    settings.EMAIL_STALL_TIMEOUT = 2
    settings.EMAIL_DATA_TIMEOUT = 4
    settings.EMAIL_RETRY_SECONDS = 0


@pytest.fixture
def server(world: World, settings: Any) -> Iterator[MailServer]:
    """Provide a server that accepts all emails but Ben's, which each test decides."""
    with mail_server({}) as running:
        settings.EMAIL_PORT = running.port
        yield running


def record(*people: User) -> dict[int, Email]:
    """Record an email to each of these people, and return the emails by person."""
    with transaction.atomic():
        return {person.pk: record_email(kind=KIND, person_id=person.pk, now=timezone.now()) for person in people}


def send(times: int = 1) -> None:
    """Drain this many times. Emails that wait for a retry become due again in between."""
    for _ in range(times):
        Email.objects.filter(status="queued").update(available_at=timezone.now())
        drain(seconds=30)


def test_slow_server_gets_each_email_once(world: World, server: MailServer) -> None:
    server.at_the_end = {world.ben.email: "slow:1.5", world.amina.email: "slow:1.5"}
    emails = record(world.amina, world.ben, world.vera)

    send(3)

    assert server.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}
    assert {Email.objects.get(pk=email.pk).status for email in emails.values()} == {"sent"}


@pytest.mark.parametrize("what", ["hang", "drop"])
def test_server_that_never_answers_gets_three_copies_at_most(world: World, server: MailServer, what: str) -> None:
    server.at_the_end = {world.ben.email: what}
    emails = record(world.ben, world.amina, world.vera)

    send(6)

    assert server.received == {world.ben.email: 3, world.amina.email: 1, world.vera.email: 1}
    assert len(server.message_ids[world.ben.email]) == 1
    failed_email = Email.objects.get(pk=emails[world.ben.pk].pk)
    assert failed_email.status == "failed"
    assert failed_email.reason.startswith("The email may have arrived: ")


def test_server_that_slowly_asks_for_a_retry_leaves_no_doubt(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.at_the_end = {world.ben.email: "later:1.5"}
    [email] = record(world.ben).values()

    send(2)
    waiting_email = Email.objects.get(pk=email.pk)
    server.at_the_end = {}
    send()

    assert waiting_email.status == "queued"
    assert waiting_email.doubts == 0
    assert not waiting_email.in_doubt
    assert waiting_email.deferrals == 2
    assert Email.objects.get(pk=email.pk).status == "sent"


def test_rest_of_a_batch_is_released_while_a_server_is_slow(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.at_the_end = {world.amina.email: "slow:3"}
    emails = record(world.amina, world.ben, world.vera)
    released_ids: list[int] = []
    release = draining.release_leases

    def release_and_count(some: list[ClaimedEmail]) -> None:
        released_ids.extend(claimed.pk for claimed in some)
        release(some)

    monkeypatch.setattr(draining, "release_leases", release_and_count)
    send()

    assert set(released_ids) == {emails[world.ben.pk].pk, emails[world.vera.pk].pk}
    assert server.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}


def test_worker_killed_while_waiting_has_counted_that_copy(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.at_the_end = {world.ben.email: "hang"}
    [email] = record(world.ben).values()

    send(2)
    rewrite(email.pk, status="sending", settled_at=None, doubts=3, in_doubt=True, available_at=timezone.now())
    send()

    assert server.received[world.ben.email] == 2
    assert Email.objects.get(pk=email.pk).reason.startswith("The email may have arrived: ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"EMAIL_LEASE_SECONDS": "60", "EMAIL_TIMEOUT": "30"}, "EMAIL_LEASE_SECONDS is 60"),
        ({"EMAIL_DATA_TIMEOUT": "5"}, "EMAIL_DATA_TIMEOUT is 5"),
        ({"EMAIL_STALL_TIMEOUT": "5"}, "EMAIL_STALL_TIMEOUT is 5"),
        ({"EMAIL_BODY_TIMEOUT": "60"}, "EMAIL_BODY_TIMEOUT is 60"),
    ],
)
def test_settings_that_would_send_twice_are_refused_at_start(given: dict[str, str], said: str) -> None:
    environ = {"DEBUG": "1", "SECRET_KEY": "k" * 50, "DATABASE_URL": "postgres://x@localhost/x", **given}
    process = subprocess.run(
        [sys.executable, "-c", "import housing.settings"],
        env=environ,
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode != 0
    assert said in process.stderr
