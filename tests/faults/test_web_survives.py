"""Pages survive an outage of the database under load, and web processes that are killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from django.urls import reverse

from partnerships.activity.models import Event
from partnerships.people.models import User
from tests.faults.relay import Relay
from tests.faults.site import Site, serving, signed_in, until
from tests.world import World, make_world

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ZONES = ("Europe/London", "Europe/Paris")


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    relay.join()
    yield relay
    relay.cut()


@pytest.fixture
def site(world: World, relay: Relay, tmp_path: Path) -> Iterator[Site]:
    with serving(relay.url(), media=tmp_path) as site:
        yield site


@dataclass
class Load:
    """Reads pages and switches the time zone back and forth, without a pause."""

    site: Site
    cookie: str
    token: str
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Ask pages until `over` is set."""
        turn = 0
        while not self.over.is_set():
            turn += 1
            for method, path, data in (
                ("GET", reverse("agreements:list"), None),
                (
                    "POST",
                    reverse("people:details"),
                    {"name": "Eddie", "time_zone": ZONES[turn % 2], "csrfmiddlewaretoken": self.token},
                ),
            ):
                status, retry_after, _ = self.site.ask(method, path, self.cookie, data)
                self.answers[status] += 1
                self.without_retry_after += status == 503 and not retry_after


@contextlib.contextmanager
def under_load(site: Site, person: User) -> Iterator[Load]:
    """Provide three loads at once, in one person's session."""
    load = Load(site, *signed_in(person))
    threads = [threading.Thread(target=load.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.over.set()
        for thread in threads:
            thread.join(timeout=60)


def changes_agree(person: User) -> bool:
    """Return whether the recorded changes of the time zone lead to its present value."""
    events = Event.objects.filter(kind="person.details_changed", target_id=person.pk).order_by("pk")
    zone = ZONES[0]
    for event in events:
        if event.data["before"]["time_zone"] != zone:
            return False
        zone = event.data["after"]["time_zone"]
    return User.objects.get(pk=person.pk).time_zone == zone


def test_pages_answer_503_during_an_outage_and_recover_afterwards(site: Site, relay: Relay, world: World) -> None:
    with under_load(site, world.eddie) as load:
        until(lambda: load.answers[200] > 3 and load.answers[302] > 3, seconds=120)
        relay.cut()
        until(lambda: load.answers[503] > 6, seconds=120, details=lambda: load.answers)
        time.sleep(2)
        away = Counter(load.answers)
        relay.join()
        until(lambda: load.answers[200] > away[200] + 3 and load.answers[302] > away[302] + 3, seconds=120)

    assert load.without_retry_after == 0
    assert set(load.answers) <= {200, 302, 503}, load.answers
    assert changes_agree(world.eddie)


def test_killing_a_web_process_leaves_no_half_written_change(site: Site, world: World) -> None:
    with under_load(site, world.eddie) as load:
        for _ in range(3):
            before = Counter(load.answers)
            until(lambda before=before: load.answers[302] > before[302] + 2, seconds=120)
            children = psutil.Process(site.process.pid).children()
            os.kill(children[0].pid, signal.SIGKILL)
        before = Counter(load.answers)
        until(lambda: load.answers[302] > before[302] + 2, seconds=120)

    # Some requests lost their connection; none got an error page.
    assert set(load.answers) <= {0, 200, 302}, load.answers
    assert changes_agree(world.eddie)


def test_metrics_add_up_web_processes_and_show_database_metrics_once(site: Site) -> None:
    request_count = 40
    for _ in range(request_count):
        assert site.ask("GET", "/privacy/", "")[0] == 200

    for _ in range(10):
        page = site.metrics()
        (line,) = [
            line for line in page.splitlines() if line.startswith("django_http_requests_before_middlewares_total ")
        ]
        assert float(line.split()[1]) >= request_count
        assert len(re.findall(r"^digests_waiting ", page, re.MULTILINE)) == 1
