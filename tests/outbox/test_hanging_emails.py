"""An email that is slow at the mail server does not delay the others.

Threads and connections are real, as in the worker and the account sender.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from partnerships.kit.accounting import acting
from partnerships.outbox import account_emails, drain_threads
from partnerships.outbox.drain_threads import DrainThreads
from partnerships.outbox.draining import DrainResult, drain
from partnerships.outbox.models import Email
from partnerships.outbox.services import record_email
from partnerships.people.models import User
from tests.outbox.mail_server import MailServer, mail_server
from tests.outbox.test_slow_mail_servers import KIND, quick, record
from tests.support.ledger import rewrite
from tests.world import World, make_world

__all__ = ["quick"]  # the fixture with short timeouts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    """Return the small world, without the emails of its set-up."""
    small_world = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return small_world


@pytest.fixture
def server(world: World, settings: Any) -> Iterator[MailServer]:
    """Provide a server that accepts all emails, except the ones that a test names."""
    with mail_server({}) as running:
        settings.EMAIL_PORT = running.port
        settings.EMAIL_TIMEOUT = 8
        yield running


def until(is_so: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is true, and fail after these seconds."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def record_code(address: str) -> Email:
    """Record an account email."""
    with transaction.atomic():
        body = {"subject": "A code", "text": "123456\n"}
        return record_email(kind="people.account", address=address, secrets=body, now=timezone.now())


def statuses() -> list[str]:
    """Return the statuses of the notices, sorted."""
    return sorted(Email.objects.filter(kind=KIND).values_list("status", flat=True))


@contextlib.contextmanager
def account_sender(server: MailServer, say_alive: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Run the account sender as in its own process."""
    stopping = threading.Event()

    def run() -> None:
        try:
            account_emails.send_until(stopping, say_alive=say_alive)
        finally:
            connection.close()

    running = threading.Thread(target=run, daemon=True)
    running.start()
    try:
        yield
    finally:
        stopping.set()
        server.close()  # which ends what hangs
        running.join(20)
        assert not running.is_alive()


@pytest.mark.parametrize("what", ["hang", "deaf"])
def test_account_email_leaves_while_another_hangs(world: World, server: MailServer, settings: Any, what: str) -> None:
    settings.EMAIL_TIMEOUT = settings.EMAIL_DATA_TIMEOUT = 50
    server.at_the_end = {"amina@slow.example": what}
    [notice] = record(world.vera).values()
    with account_sender(server):
        hanging = record_code("amina@slow.example")
        assert server.asked.wait(30)
        record_code("ben@council.example")

        until(lambda: server.received["ben@council.example"] == 1, 30)
        status_of_hanging = Email.objects.get(pk=hanging.pk).status

    assert status_of_hanging == "sending"
    notice.refresh_from_db()
    assert (notice.status, notice.attempts) == ("queued", 0), "This sender is reserved for account emails."


def test_account_sender_says_that_it_is_alive_while_a_claim_takes_long(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    claimed = threading.Event()
    go_on = threading.Event()

    def slow_drain(**options: Any) -> DrainResult:
        claimed.set()
        go_on.wait(30)
        return DrainResult()

    monkeypatch.setattr(drain_threads, "drain", slow_drain)
    record_code("ben@council.example")
    with account_sender(server, say_alive=lambda: calls.append(1)):
        assert claimed.wait(30)
        count_before = len(calls)
        until(lambda: len(calls) > count_before + 2, 30)
        go_on.set()


@pytest.mark.parametrize("what", ["hang", "deaf"])
def test_few_hanging_notices_do_not_hold_up_the_others(
    world: World, server: MailServer, settings: Any, what: str
) -> None:
    settings.EMAIL_TIMEOUT = settings.EMAIL_DATA_TIMEOUT = 50
    server.at_the_end = {world.amina.email: what, world.vera.email: what}
    record(world.amina, world.vera, world.ben)
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")

    until(lambda: threads.run(seconds=3) and statuses() == ["sending", "sending", "sent"], 30)
    received = server.received[world.ben.email]
    server.close()  # which ends what hangs
    threads.finish()

    assert received == 1


def test_sending_stops_while_too_many_emails_hang(
    world: World, server: MailServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_threads, "MAX_SLOW", 2)
    settings.EMAIL_RETRY_SECONDS = 60
    people = [world.amina, world.vera, world.ben, world.dee]
    server.at_the_end = {person.email: "hang" for person in people}
    record(*people)
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")

    threads.run(seconds=3)
    threads.run(seconds=3)
    statuses_meanwhile = statuses()
    server.at_the_end = {}
    until(lambda: not threads.is_full(), 60)  # the two have taken EMAIL_DATA_TIMEOUT
    threads.run(seconds=3)
    threads.finish()

    assert statuses_meanwhile == ["queued", "queued", "sending", "sending"]
    assert statuses() == ["queued", "queued", "sent", "sent"]


def test_hanging_domain_does_not_hold_up_the_others(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_DATA_TIMEOUT = 50
    settings.EMAIL_RETRY_SECONDS = 0
    hanging = [record_code(f"person{number}@slow.example") for number in range(30)]
    server.at_the_end = {email.address: "hang" for email in hanging}
    threads = DrainThreads(lanes="all", patience=0.3, job="tests")
    threads.run(seconds=4)
    record(world.amina, world.ben, world.vera)

    until(lambda: threads.run(seconds=2) and statuses() == ["sent"] * 3, 30)
    copies = dict(server.received)
    waiting = Email.objects.filter(address__endswith="@slow.example", status="sending").count()
    server.close()  # which ends what hangs
    threads.finish()

    assert waiting == len(copies) - 3 < drain_threads.MAX_SLOW
    assert set(copies.values()) == {1}


def test_hanging_domain_gets_three_copies_at_most(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_DATA_TIMEOUT = 2.5
    settings.EMAIL_TIMEOUT = 1
    settings.EMAIL_RETRY_SECONDS = 0
    hanging = [record_code(f"person{number}@slow.example") for number in range(6)]  # three times what may wait
    server.at_the_end = {email.address: "hang" for email in hanging}
    threads = DrainThreads(lanes="all", patience=0.3, job="tests")

    def give_up() -> bool:
        Email.objects.filter(status="queued").update(available_at=timezone.now())
        threads.run(seconds=1)
        return not Email.objects.filter(pk__in=[email.pk for email in hanging]).unsettled().exists()

    until(give_up, 120)
    threads.finish()

    assert set(server.received.values()) == {3}
    assert {Email.objects.get(pk=email.pk).reason_code for email in hanging} == {"may_have_arrived"}


def test_process_that_stops_releases_what_has_not_left(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_DATA_TIMEOUT = 50
    server.at_the_end = {world.amina.email: "held"}
    first_email, *other_emails = record(world.amina, world.ben, world.vera).values()
    threads = DrainThreads(lanes="others", patience=10, job="tests")

    threads.run(seconds=40, is_stopping=server.asked.is_set)
    other_ids = [email.pk for email in other_emails]
    released_states = Email.objects.filter(pk__in=other_ids).values_list("status", "attempts", "doubts")
    released_at_once = list(released_states)
    server.released.set()
    threads.finish()

    assert released_at_once == [("queued", 0, 0)] * 2
    assert server.received == {world.amina.email: 1}
    assert Email.objects.get(pk=first_email.pk).status == "sent"


def lose_database_while_sending(person: User) -> Email:
    """Send an email to this person, and end the senders' connections while the server waits; return the email."""
    [email] = record(person).values()
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")
    threads.run(seconds=1)
    ended_counts = [end_connections_of_drains() for _ in range(12) if time.sleep(0.2) is None]
    threads.finish()
    assert sum(ended_counts) >= 2
    return Email.objects.get(pk=email.pk)


def test_database_error_while_an_email_waits_does_not_repeat_an_accepted_email(
    world: World, server: MailServer, settings: Any
) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.at_the_end = {world.amina.email: "slow:3.5"}

    email = lose_database_while_sending(world.amina)

    assert server.received == {world.amina.email: 1}
    assert email.status == "sent"


def test_database_error_while_an_email_waits_leaves_a_refused_email_queued(
    world: World, server: MailServer, settings: Any
) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.at_the_end = {world.amina.email: "later:3.5"}

    email = lose_database_while_sending(world.amina)

    assert server.received == {world.amina.email: 1}
    assert email.status == "queued"
    assert email.doubts == 0


def end_connections_of_drains() -> int:
    """End every other connection to this database, and return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return cursor.rowcount


def test_emails_accepted_before_a_hanging_one_are_settled_meanwhile(
    world: World, server: MailServer, settings: Any
) -> None:
    settings.EMAIL_DATA_TIMEOUT = 50
    server.at_the_end = {world.amina.email: "hang"}
    first, second = record(world.ben, world.amina).values()
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")

    threads.run(seconds=3)
    until(lambda: Email.objects.get(pk=first.pk).status == "sent", 30)
    status_of_second = Email.objects.get(pk=second.pk).status
    server.close()
    threads.finish()

    assert status_of_second == "sending"


def test_server_that_is_slow_before_data_gets_each_email_once(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_LEASE_SECONDS = 4
    settings.EMAIL_TIMEOUT = 3
    server.pause = 1.2  # seven replies: greeting, EHLO, MAIL, RCPT, DATA, the end; QUIT
    [email] = record(world.ben).values()
    is_over = threading.Event()

    def send(*, again: bool) -> None:
        try:
            with acting(job="tests"):
                drain(seconds=1)
                while again and not is_over.wait(0.2):
                    drain(seconds=1)
        finally:
            connection.close()

    first_sender = threading.Thread(target=send, kwargs={"again": False}, daemon=True)
    first_sender.start()
    until(lambda: Email.objects.get(pk=email.pk).status == "sending", 30)
    second_sender = threading.Thread(target=send, kwargs={"again": True}, daemon=True)
    second_sender.start()
    first_sender.join(30)
    is_over.set()
    second_sender.join(30)

    assert server.received == {world.ben.email: 1}
    assert Email.objects.get(pk=email.pk).status == "sent"
