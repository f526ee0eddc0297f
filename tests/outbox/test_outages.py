"""No email is lost in an outage of a provider or relay that leaves every email in doubt."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from typing import Any

import pytest
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
from tests.outbox.mail_server import MailServer, mail_server
from tests.outbox.notices import KIND, record_notices
from tests.outbox.provider import Provider
from tests.support.ledger import rewrite
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_timeouts")]


def record_for_three_people(world: World, *, emails_each: int) -> list[str]:
    """Record this many emails to each of three people, and return the addresses of the people."""
    people = [world.amina, world.ben, world.vera]
    record_notices(*people * emails_each)
    return [person.email for person in people]


def pass_time(duration: dt.timedelta) -> None:
    """Make this time pass for emails that wait for a retry."""
    waiting = Email.objects.filter(kind=KIND, status="queued")
    waiting.update(available_at=F("available_at") - duration)


def drain_repeatedly(times: int, *, every: dt.timedelta) -> None:
    """Drain this many times, and let this time pass after each."""
    for _ in range(times):
        drain(seconds=30)
        pass_time(every)


def statuses() -> set[str]:
    """Return the different statuses of the emails."""
    return set(Email.objects.filter(kind=KIND).values_list("status", flat=True))


def test_provider_that_fails_for_a_minute_loses_no_email(world: World, provider: Provider, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    provider.behaviours = dict.fromkeys(record_for_three_people(world, emails_each=4), 503)

    drain_repeatedly(6, every=dt.timedelta(seconds=10))
    statuses_after_a_minute = statuses()
    provider.behaviours = {}
    drain_repeatedly(8, every=dt.timedelta(minutes=10))

    assert statuses_after_a_minute == {"queued"}
    assert statuses() == {"sent"}


def test_relay_that_drops_for_a_minute_loses_no_email(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    server.behaviours = dict.fromkeys(record_for_three_people(world, emails_each=4), "drop")

    drain_repeatedly(6, every=dt.timedelta(seconds=10))
    server.behaviours = {}
    drain_repeatedly(8, every=dt.timedelta(minutes=10))

    assert statuses() == {"sent"}


def test_relay_that_drops_and_then_stops_uses_up_no_copies(world: World, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    addresses = record_for_three_people(world, emails_each=1)

    with mail_server(dict.fromkeys(addresses, "drop")) as server:
        settings.EMAIL_PORT = server.port
        drain(seconds=30)
    for _ in range(4):
        pass_time(dt.timedelta(hours=1))
        drain(seconds=30)
    states_while_away = set(Email.objects.filter(kind=KIND).values_list("status", "doubts", "in_doubt"))
    with mail_server({}) as server:
        settings.EMAIL_PORT = server.port
        pass_time(dt.timedelta(hours=1))
        drain(seconds=30)

    assert states_while_away == {("queued", 1, True)}
    assert statuses() == {"sent"}
    assert server.received == dict.fromkeys(addresses, 1)


def test_killed_sender_has_counted_its_copy_when_the_server_is_away(world: World, settings: Any) -> None:
    record_for_three_people(world, emails_each=1)
    for email in Email.objects.filter(kind=KIND):
        rewrite(email.pk, status="sending", available_at=timezone.now())
    with mail_server({}) as closed_server:
        settings.EMAIL_PORT = closed_server.port

    drain(seconds=30)

    assert set(Email.objects.filter(kind=KIND).values_list("status", "doubts", "in_doubt")) == {("queued", 1, True)}


def test_provider_that_refuses_the_key_uses_up_no_copies(world: World, provider: Provider, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    addresses = record_for_three_people(world, emails_each=1)

    for http_status in (503, 401, 401, 401, 401, 200):
        provider.behaviours = dict.fromkeys(addresses, http_status)
        drain(seconds=30)
        pass_time(dt.timedelta(hours=1))

    assert statuses() == {"sent"}


def test_process_pauses_while_most_answers_leave_doubts(
    world: World, provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts: list[str] = []
    monkeypatch.setattr(doubts, "alert_operators", lambda subject, text: alerts.append(subject))
    provider.behaviours = dict.fromkeys(record_for_three_people(world, emails_each=10), 503)
    threads = DrainThreads(lanes="others", patience=2, job="tests")

    may_run_again = [threads.run(seconds=30), threads.run(seconds=30)]

    assert may_run_again == [True, True]
    assert provider.received.total() == 5
    assert alerts == ["Most emails may or may not have arrived"]
    assert queue_figures()["in_doubt"] == 5


def test_first_answer_after_a_pause_decides_whether_to_go_on(
    world: World, provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_RETRY_SECONDS = 10
    clock = [0.0]
    monkeypatch.setattr(doubts, "monotonic", lambda: clock[0])
    provider.behaviours = dict.fromkeys(record_for_three_people(world, emails_each=10), 503)
    threads = DrainThreads(lanes="others", patience=2, job="tests")
    received_counts = []
    for clock[0] in (0.0, 61.0, 122.0):
        threads.run(seconds=30)
        received_counts.append(provider.received.total())

    provider.behaviours = {}
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
    provider.behaviours = dict.fromkeys(record_for_three_people(world, emails_each=10), 503)
    pass_time(dt.timedelta(minutes=2))

    before = watching.queue_seen()
    tasks.drain()
    at_pause = watching.queue_seen()
    during_pause = watching.queue_seen()
    clock[0] = 61.0
    after_pause = watching.queue_seen()
    later = watching.queue_seen()

    assert not watching.is_stalled(before, at_pause)
    assert not watching.is_stalled(at_pause, during_pause)
    assert not watching.is_stalled(during_pause, after_pause), "Its next drain has not begun yet."
    assert watching.is_stalled(after_pause, later), "The pause is over, and nothing drains."
