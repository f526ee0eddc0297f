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
from tests.outbox.mail_server import MailServer
from tests.outbox.notices import KIND, record_notices, wait_until
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_timeouts")]


@pytest.fixture(autouse=True)
def longer_timeout(short_timeouts: None, settings: Any) -> None:
    """Allow eight seconds for each command, so that a busy machine does not end a dialogue."""
    settings.EMAIL_TIMEOUT = 8


def record_account_email(address: str) -> Email:
    """Record an account email with a code."""
    with transaction.atomic():
        body = {"subject": "A code", "text": "123456\n"}
        return record_email(kind="people.account", address=address, secrets=body, now=timezone.now())


def notice_statuses() -> list[str]:
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


@pytest.mark.parametrize("behaviour", ["hang", "deaf"])
def test_account_email_leaves_while_another_hangs(
    world: World, server: MailServer, settings: Any, behaviour: str
) -> None:
    settings.EMAIL_TIMEOUT = settings.EMAIL_DATA_TIMEOUT = 50
    server.behaviours = {"amina@slow.example": behaviour}
    [notice] = record_notices(world.vera)
    with account_sender(server):
        hanging = record_account_email("amina@slow.example")
        assert server.asked.wait(30)
        record_account_email("ben@council.example")

        wait_until(lambda: server.received["ben@council.example"] == 1, seconds=30)
        status_of_hanging = Email.objects.get(pk=hanging.pk).status

    assert status_of_hanging == "sending"
    notice.refresh_from_db()
    assert notice.status == "queued", "This sender is reserved for account emails."
    assert notice.attempts == 0


def test_account_sender_says_that_it_is_alive_while_a_claim_takes_long(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs_of_life: list[float] = []
    claim_begun = threading.Event()
    claim_may_end = threading.Event()

    def drain_with_a_long_claim(**options: Any) -> DrainResult:
        claim_begun.set()
        claim_may_end.wait(30)
        return DrainResult()

    monkeypatch.setattr(drain_threads, "drain", drain_with_a_long_claim)
    record_account_email("ben@council.example")
    with account_sender(server, say_alive=lambda: signs_of_life.append(time.monotonic())):
        assert claim_begun.wait(30)
        count_before = len(signs_of_life)

        wait_until(lambda: len(signs_of_life) > count_before + 2, seconds=30)

        claim_may_end.set()


@pytest.mark.parametrize("behaviour", ["hang", "deaf"])
def test_few_hanging_notices_do_not_hold_up_the_others(
    world: World, server: MailServer, settings: Any, behaviour: str
) -> None:
    settings.EMAIL_TIMEOUT = settings.EMAIL_DATA_TIMEOUT = 50
    server.behaviours = {world.amina.email: behaviour, world.vera.email: behaviour}
    record_notices(world.amina, world.vera, world.ben)
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")

    wait_until(lambda: threads.run(seconds=3) and notice_statuses() == ["sending", "sending", "sent"], seconds=30)
    copies_to_ben = server.received[world.ben.email]
    server.close()  # which ends what hangs
    threads.finish()

    assert copies_to_ben == 1


def test_sending_stops_while_too_many_emails_hang(
    world: World, server: MailServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_threads, "MAX_SLOW", 2)
    settings.EMAIL_RETRY_SECONDS = 60
    people = [world.amina, world.vera, world.ben, world.dee]
    server.behaviours = {person.email: "hang" for person in people}
    record_notices(*people)
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")

    threads.run(seconds=3)
    threads.run(seconds=3)
    statuses_while_two_hang = notice_statuses()
    server.behaviours = {}
    wait_until(lambda: not threads.is_full(), seconds=60)  # the two have taken EMAIL_DATA_TIMEOUT
    threads.run(seconds=3)
    threads.finish()

    assert statuses_while_two_hang == ["queued", "queued", "sending", "sending"]
    assert notice_statuses() == ["queued", "queued", "sent", "sent"]


def test_hanging_domain_does_not_hold_up_the_others(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_DATA_TIMEOUT = 50
    settings.EMAIL_RETRY_SECONDS = 0
    hanging = [record_account_email(f"person{number}@slow.example") for number in range(30)]
    server.behaviours = {email.address: "hang" for email in hanging}
    threads = DrainThreads(lanes="all", patience=0.3, job="tests")
    threads.run(seconds=4)
    record_notices(world.amina, world.ben, world.vera)

    wait_until(lambda: threads.run(seconds=2) and notice_statuses() == ["sent"] * 3, seconds=30)
    copies = dict(server.received)
    hanging_count = Email.objects.filter(address__endswith="@slow.example", status="sending").count()
    server.close()  # which ends what hangs
    threads.finish()

    assert set(copies.values()) == {1}
    assert len(copies) == 3 + hanging_count
    assert hanging_count < drain_threads.MAX_SLOW


def test_hanging_domain_gets_three_copies_at_most(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_DATA_TIMEOUT = 2.5
    settings.EMAIL_TIMEOUT = 1
    settings.EMAIL_RETRY_SECONDS = 0
    # Three times as many as may wait at once.
    hanging_ids = [record_account_email(f"person{number}@slow.example").pk for number in range(6)]
    server.behaviours = {f"person{number}@slow.example": "hang" for number in range(6)}
    threads = DrainThreads(lanes="all", patience=0.3, job="tests")

    def sending_has_given_up() -> bool:
        Email.objects.filter(status="queued").update(available_at=timezone.now())
        threads.run(seconds=1)
        return not Email.objects.filter(pk__in=hanging_ids).unsettled().exists()

    wait_until(sending_has_given_up, seconds=120)
    threads.finish()

    assert set(server.received.values()) == {3}
    assert set(Email.objects.filter(pk__in=hanging_ids).values_list("reason_code", flat=True)) == {"may_have_arrived"}


def test_process_that_stops_releases_what_has_not_left(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_DATA_TIMEOUT = 50
    server.behaviours = {world.amina.email: "held"}
    email_being_sent, *other_emails = record_notices(world.amina, world.ben, world.vera)
    threads = DrainThreads(lanes="others", patience=10, job="tests")

    threads.run(seconds=40, is_stopping=server.asked.is_set)
    for email in other_emails:
        email.refresh_from_db()
    server.released.set()
    threads.finish()

    assert [(email.status, email.attempts, email.doubts) for email in other_emails] == [("queued", 0, 0)] * 2
    assert server.received == {world.amina.email: 1}
    assert Email.objects.get(pk=email_being_sent.pk).status == "sent"


def lose_database_while_sending(person: User) -> Email:
    """Send an email to this person, and end the senders' connections while the server waits; return the email."""
    [email] = record_notices(person)
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")
    threads.run(seconds=1)
    ended_count = 0
    for _ in range(12):
        time.sleep(0.2)
        ended_count += end_other_connections()
    threads.finish()
    assert ended_count >= 2
    email.refresh_from_db()
    return email


def end_other_connections() -> int:
    """End every other connection to this database, and return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return cursor.rowcount


def test_database_error_while_an_email_waits_does_not_repeat_an_accepted_email(
    world: World, server: MailServer, settings: Any
) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.behaviours = {world.amina.email: "slow:3.5"}

    email = lose_database_while_sending(world.amina)

    assert server.received == {world.amina.email: 1}
    assert email.status == "sent"


def test_database_error_while_an_email_waits_leaves_a_refused_email_queued(
    world: World, server: MailServer, settings: Any
) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.behaviours = {world.amina.email: "later:3.5"}

    email = lose_database_while_sending(world.amina)

    assert server.received == {world.amina.email: 1}
    assert email.status == "queued"
    assert email.doubts == 0


def test_emails_accepted_before_a_hanging_one_are_settled_meanwhile(
    world: World, server: MailServer, settings: Any
) -> None:
    settings.EMAIL_DATA_TIMEOUT = 50
    server.behaviours = {world.amina.email: "hang"}
    accepted, hanging = record_notices(world.ben, world.amina)
    threads = DrainThreads(lanes="others", patience=0.3, job="tests")

    threads.run(seconds=3)
    wait_until(lambda: Email.objects.get(pk=accepted.pk).status == "sent", seconds=30)
    hanging.refresh_from_db()
    server.close()  # which ends what hangs
    threads.finish()

    assert hanging.status == "sending"


def test_server_that_is_slow_before_data_gets_each_email_once(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_LEASE_SECONDS = 4
    settings.EMAIL_TIMEOUT = 3
    server.pause = 1.2  # seven replies: greeting, EHLO, MAIL, RCPT, DATA, the end; QUIT
    [email] = record_notices(world.ben)
    is_over = threading.Event()

    def drain_in_thread(*, again: bool) -> None:
        try:
            with acting(job="tests"):
                drain(seconds=1)
                while again and not is_over.wait(0.2):
                    drain(seconds=1)
        finally:
            connection.close()

    first_sender = threading.Thread(target=drain_in_thread, kwargs={"again": False}, daemon=True)
    first_sender.start()
    wait_until(lambda: Email.objects.get(pk=email.pk).status == "sending", seconds=30)
    second_sender = threading.Thread(target=drain_in_thread, kwargs={"again": True}, daemon=True)
    second_sender.start()
    first_sender.join(30)
    is_over.set()
    second_sender.join(30)

    assert server.received == {world.ben.email: 1}
    assert Email.objects.get(pk=email.pk).status == "sent"
