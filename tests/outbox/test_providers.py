"""Providers that are slow, hang, drop or refuse cause few duplicates, and affect no other recipients."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from partnerships.outbox.models import Email
from partnerships.outbox.services import record_email
from partnerships.people.models import User
from tests.outbox.test_slow_mail_servers import KIND, send
from tests.support.ledger import rewrite
from tests.world import World, make_world


class Provider(ThreadingHTTPServer):
    """A provider that answers as Postmark does.

    `what` has the sort of answer, by address: an HTTP status, `slow`, `hang`, `stall`, `drip` or `drop`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PostmarkHandler)
        self.what: dict[str, Any] = {}
        self.received: Counter[str] = Counter()


class PostmarkHandler(BaseHTTPRequestHandler):
    """Handles one message."""

    server: Provider

    def do_POST(self) -> None:
        """Read the message, and answer as the test decides."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        address = parseaddr(message["To"])[1]
        self.server.received[address] += 1
        behaviour = self.server.what.get(address, 200)
        if behaviour == "drop":
            self.close_connection = True
            return
        if behaviour in ("slow", "hang"):
            time.sleep(1.5 if behaviour == "slow" else 6)
        status = behaviour if isinstance(behaviour, int) else 200
        code = 0 if status == 200 else 300
        answer = {"ErrorCode": code, "Message": "OK", "MessageID": f"number-{address}", "To": message["To"]}
        body = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour == "stall":  # the headers are sent, but not the body
                self.wfile.flush()
                time.sleep(6)
                return
            if behaviour == "drip":  # each byte arrives in time, but the last one never
                for byte in body[:20]:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.5)
                return
            self.wfile.write(body)
        except OSError:
            pass  # the client has given up

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives
        """Log nothing."""


@pytest.fixture
def world(db: None) -> World:
    """Return the small world, without the emails of its set-up."""
    small_world = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return small_world


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """Provide a provider that accepts all emails by default, within four seconds."""
    running = Provider()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": f"http://127.0.0.1:{running.server_port}/",
        "REQUESTS_TIMEOUT": (4, 4),
    }
    settings.EMAIL_RETRY_SECONDS = 0
    yield running
    running.shutdown()
    running.server_close()


def record(*people: User) -> list[Email]:
    """Record an email to each of these people, in this order."""
    with transaction.atomic():
        return [record_email(kind=KIND, person_id=person.pk, now=timezone.now()) for person in people]


def test_slow_provider_gets_each_email_once(world: World, provider: Provider) -> None:
    provider.what = {world.ben.email: "slow", world.amina.email: "slow"}
    record(world.amina, world.ben, world.vera)

    send(3)

    assert provider.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}
    assert {email.status for email in Email.objects.filter(kind=KIND)} == {"sent"}
    assert Email.objects.get(person_id=world.ben.pk, kind=KIND).provider_id == f"number-{world.ben.email}"


@pytest.mark.parametrize("what", ["hang", "stall", "drip", "drop", 500, 502, 503, 504])
def test_provider_that_never_accepts_gets_three_copies_at_most(
    world: World, provider: Provider, settings: Any, what: Any
) -> None:
    settings.ANYMAIL["REQUESTS_TIMEOUT"] = (2, 2)
    settings.EMAIL_DATA_TIMEOUT, settings.EMAIL_TIMEOUT = 4, 1  # in all; far from the two seconds of each read
    provider.what = {world.ben.email: what}
    failed_email, *_others = record(world.ben, world.amina, world.vera)

    send(6)

    assert provider.received == {world.ben.email: 3, world.amina.email: 1, world.vera.email: 1}
    failed_email.refresh_from_db()
    assert failed_email.status == "failed"
    assert failed_email.reason.startswith("The email may have arrived: ")
    assert failed_email.reason.endswith("did not answer in time.") == (what == "drip")


@pytest.mark.parametrize(("status", "ends_as"), [(422, "failed"), (401, "queued"), (429, "queued")])
def test_refusal_by_a_provider_leaves_no_doubt(
    world: World, provider: Provider, settings: Any, status: int, ends_as: str
) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    provider.what = {world.ben.email: status}
    [email] = record(world.ben)

    send()

    email.refresh_from_db()
    assert email.status == ends_as
    assert not email.in_doubt
    assert email.doubts == 0


def test_unreachable_provider_costs_no_delivery_attempt(world: World, provider: Provider) -> None:
    provider.shutdown()
    provider.server_close()
    [email] = record(world.ben)

    send(2)

    email.refresh_from_db()
    assert email.status == "queued"
    assert not email.in_doubt
    assert email.doubts == 0
