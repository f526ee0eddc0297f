"""Mail servers that are slow, hang or drop cause few duplicates, and affect no other recipients."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from partnerships.outbox import draining
from partnerships.outbox.leases import ClaimedEmail
from partnerships.outbox.models import Email
from tests.outbox.mail_server import MailServer
from tests.outbox.notices import KIND, record_notices, send
from tests.support.ledger import rewrite
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("short_timeouts")]


def test_slow_server_gets_each_email_once(world: World, server: MailServer) -> None:
    server.behaviours = {world.ben.email: "slow:1.5", world.amina.email: "slow:1.5"}
    record_notices(world.amina, world.ben, world.vera)

    send(3)

    assert server.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}
    assert set(Email.objects.filter(kind=KIND).values_list("status", flat=True)) == {"sent"}


@pytest.mark.parametrize("behaviour", ["hang", "drop"])
def test_server_that_never_answers_gets_three_copies_at_most(world: World, server: MailServer, behaviour: str) -> None:
    server.behaviours = {world.ben.email: behaviour}
    failed_email, *_ = record_notices(world.ben, world.amina, world.vera)

    send(6)

    assert server.received == {world.ben.email: 3, world.amina.email: 1, world.vera.email: 1}
    assert len(server.message_ids[world.ben.email]) == 1
    failed_email.refresh_from_db()
    assert failed_email.status == "failed"
    assert failed_email.reason.startswith("The email may have arrived: ")


def test_server_that_slowly_asks_for_a_retry_leaves_no_doubt(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.behaviours = {world.ben.email: "later:1.5"}
    [email] = record_notices(world.ben)

    send(2)
    waiting_email = Email.objects.get(pk=email.pk)
    server.behaviours = {}
    send()

    assert waiting_email.status == "queued"
    assert waiting_email.doubts == 0
    assert not waiting_email.in_doubt
    assert waiting_email.deferrals == 2
    assert Email.objects.get(pk=email.pk).status == "sent"


def test_rest_of_a_batch_is_released_while_a_server_is_slow(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behaviours = {world.amina.email: "slow:3"}
    _, email_to_ben, email_to_vera = record_notices(world.amina, world.ben, world.vera)
    released_ids: list[int] = []
    release = draining.release_leases

    def note_and_release(emails: list[ClaimedEmail]) -> None:
        released_ids.extend(email.pk for email in emails)
        release(emails)

    monkeypatch.setattr(draining, "release_leases", note_and_release)

    send()

    assert set(released_ids) == {email_to_ben.pk, email_to_vera.pk}
    assert server.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}


def test_worker_killed_while_waiting_has_counted_that_copy(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.behaviours = {world.ben.email: "hang"}
    [email] = record_notices(world.ben)

    send(2)
    rewrite(email.pk, status="sending", settled_at=None, doubts=3, in_doubt=True, available_at=timezone.now())
    send()

    assert server.received[world.ben.email] == 2
    assert Email.objects.get(pk=email.pk).reason.startswith("The email may have arrived: ")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"EMAIL_LEASE_SECONDS": "60", "EMAIL_TIMEOUT": "30"}, "EMAIL_LEASE_SECONDS is 60"),
        ({"EMAIL_DATA_TIMEOUT": "5"}, "EMAIL_DATA_TIMEOUT is 5"),
        ({"EMAIL_STALL_TIMEOUT": "5"}, "EMAIL_STALL_TIMEOUT is 5"),
        ({"EMAIL_BODY_TIMEOUT": "60"}, "EMAIL_BODY_TIMEOUT is 60"),
    ],
)
def test_settings_that_would_send_twice_are_refused_at_start(variables: dict[str, str], message: str) -> None:
    environ = {"DEBUG": "1", "SECRET_KEY": "k" * 50, "DATABASE_URL": "postgres://x@localhost/x", **variables}
    process = subprocess.run(
        [sys.executable, "-c", "import housing.settings"],
        env=environ,
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode != 0
    assert message in process.stderr
