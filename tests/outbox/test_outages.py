"""No email is lost in an outage of a provider or relay that leaves every email in doubt."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from housing import watching
from partnerships.outbox import doubts, tasks
from partnerships.outbox.answers import Answer, Outcome
from partnerships.outbox.doubts import Doubts
from partnerships.outbox.drain_threads import DrainThreads
from partnerships.outbox.draining import drain
from partnerships.outbox.models import Email
from partnerships.outbox.queries.queue import queue_figures
from partnerships.outbox.services import record_email
from tests.outbox.mail_server import mail_server
from tests.outbox.test_providers import Provider, provider
from tests.outbox.test_slow_mail_servers import KIND, quick
from tests.support.ledger import rewrite
from tests.world import World, make_world

__all__ = ["provider", "quick"]  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    """Return the small world, without the emails of its set-up."""
    small_world = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return small_world


def record(world: World, count: int) -> list[str]:
    """Record this many emails to each of three people, and return the addresses of the people."""
    people = [world.amina, world.ben, world.vera]
    with transaction.atomic():
        for _ in range(count):
            for person in people:
                record_email(kind=KIND, person_id=person.pk, now=timezone.now())
    return [person.email for person in people]


def wait(how_long: dt.timedelta) -> None:
    """Make this time pass for emails that wait for a retry."""
    waiting = Email.objects.filter(kind=KIND, status="queued")
    waiting.update(available_at=F("available_at") - how_long)


def statuses() -> set[str]:
    """Return the different statuses of the emails."""
    return set(Email.objects.filter(kind=KIND).values_list("status", flat=True))


def test_provider_that_fails_for_a_minute_loses_no_email(world: World, provider: Provider, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    provider.what = dict.fromkeys(record(world, 4), 503)
    for _ in range(6):
        drain(seconds=30)
        wait(dt.timedelta(seconds=10))
    assert statuses() == {"queued"}
    provider.what = {}

    for _ in range(8):
        drain(seconds=30)
        wait(dt.timedelta(minutes=10))

    assert statuses() == {"sent"}


def test_relay_that_drops_for_a_minute_loses_no_email(world: World, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    with mail_server(dict.fromkeys(record(world, 4), "drop")) as server:
        settings.EMAIL_PORT = server.port
        for _ in range(6):
            drain(seconds=30)
            wait(dt.timedelta(seconds=10))
        server.at_the_end = {}
        for _ in range(8):
            drain(seconds=30)
            wait(dt.timedelta(minutes=10))

    assert statuses() == {"sent"}


def test_relay_that_drops_and_then_stops_uses_up_no_copies(world: World, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    addresses = record(world, 1)
    with mail_server(dict.fromkeys(addresses, "drop")) as server:
        settings.EMAIL_PORT = server.port
        drain(seconds=30)
    for _ in range(4):
        wait(dt.timedelta(minutes=60))
        drain(seconds=30)
    states_while_away = set(Email.objects.filter(kind=KIND).values_list("status", "doubts", "in_doubt"))

    with mail_server({}) as server:
        settings.EMAIL_PORT = server.port
        wait(dt.timedelta(minutes=60))
        drain(seconds=30)

    assert states_while_away == {("queued", 1, True)}
    assert statuses() == {"sent"}
    assert server.received == dict.fromkeys(addresses, 1)


def test_killed_sender_has_counted_its_copy_when_the_server_is_away(world: World, settings: Any) -> None:
    record(world, 1)
    for email in Email.objects.filter(kind=KIND):
        rewrite(email.pk, status="sending", available_at=timezone.now())
    with mail_server({}) as server:
        settings.EMAIL_PORT = server.port

    drain(seconds=30)

    assert set(Email.objects.filter(kind=KIND).values_list("status", "doubts", "in_doubt")) == {("queued", 1, True)}


def test_provider_that_refuses_the_key_uses_up_no_copies(world: World, provider: Provider, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    addresses = record(world, 1)
    for answer in (503, 401, 401, 401, 401, 200):
        provider.what = dict.fromkeys(addresses, answer)
        drain(seconds=30)
        wait(dt.timedelta(minutes=60))

    assert statuses() == {"sent"}


def test_process_pauses_while_most_answers_leave_doubts(
    world: World, provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts: list[str] = []
    monkeypatch.setattr(doubts, "alert_operators", lambda subject, text: alerts.append(subject))
    provider.what = dict.fromkeys(record(world, 10), 503)
    threads = DrainThreads(lanes="others", patience=2, job="tests")

    assert threads.run(seconds=30)
    assert threads.run(seconds=30)

    assert provider.received.total() == 5
    assert alerts == ["Most emails may or may not have arrived"]
    assert queue_figures()["in_doubt"] == 5


def test_first_answer_after_a_pause_decides_whether_to_go_on(
    world: World, provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    clock = [0.0]
    monkeypatch.setattr(doubts, "monotonic", lambda: clock[0])
    provider.what = dict.fromkeys(record(world, 10), 503)
    threads = DrainThreads(lanes="others", patience=2, job="tests")
    received_counts = []
    for clock[0] in (0.0, 61.0, 122.0):
        threads.run(seconds=30)
        received_counts.append(provider.received.total())

    provider.what = {}
    clock[0] = 182.0
    threads.run(seconds=30)

    assert received_counts == [5, 6, 6], "The second pause is twice as long."
    assert Email.objects.filter(kind=KIND, status="sent").count() == 30 - 6


def test_answers_of_several_threads_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(doubts, "alert_operators", lambda subject, text: None)
    shared_doubts = Doubts()
    failures: list[BaseException] = []

    def count_answers() -> None:
        try:
            for number in range(3_000):
                shared_doubts.count(
                    Answer(number, Outcome.LATER, in_doubt=number % 3 == 0), domain=f"{number % 2}.example"
                )
        except RuntimeError as error:
            failures.append(error)

    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=count_answers) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch_interval)

    assert failures == []


def test_worker_that_pauses_has_not_stalled(world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(doubts, "monotonic", lambda: clock[0])
    monkeypatch.setattr(tasks, "_paused_until", bytearray(8))
    monkeypatch.setattr(tasks, "_threads", DrainThreads(lanes="others", patience=2, job="tests"))
    provider.what = dict.fromkeys(record(world, 10), 503)
    wait(dt.timedelta(minutes=2))
    seen_before = watching.queue_seen()
    tasks.drain()
    first = watching.queue_seen()
    second = watching.queue_seen()
    clock[0] = 61.0
    third = watching.queue_seen()
    fourth = watching.queue_seen()

    assert not watching.is_stalled(seen_before, first)
    assert not watching.is_stalled(first, second)
    assert not watching.is_stalled(second, third), "Its next drain has not begun yet."
    assert watching.is_stalled(third, fourth), "The pause is over, and nothing drains."
