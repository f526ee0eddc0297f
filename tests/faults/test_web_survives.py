"""The web under real faults, in reduced size: the database away under load, and workers killed in the middle."""

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
    """Somebody who reads pages and changes their time zone to and fro, without a pause."""

    site: Site
    cookie: str
    token: str
    answers: Counter[int] = field(default_factory=Counter)
    without_hint: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until told to stop."""
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
                status, hint, _ = self.site.ask(method, path, self.cookie, data)
                self.answers[status] += 1
                self.without_hint += status == 503 and not hint


@contextlib.contextmanager
def under_load(site: Site, person: User) -> Iterator[Load]:
    """Three of them at once, as one person with one session."""
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
    """Whether what was written down about the time zone leads, step by step, to what it is now."""
    events = Event.objects.filter(kind="person.details_changed", target_id=person.pk).order_by("pk")
    zone = ZONES[0]
    for event in events:
        if event.data["before"]["time_zone"] != zone:
            return False
        zone = event.data["after"]["time_zone"]
    return User.objects.get(pk=person.pk).time_zone == zone


def test_pages_say_503_while_the_database_is_away_and_go_on_when_it_is_back(
    site: Site, relay: Relay, world: World
) -> None:
    with under_load(site, world.eddie) as load:
        until(lambda: load.answers[200] > 3 and load.answers[302] > 3, seconds=30)
        relay.cut()
        until(lambda: load.answers[503] > 6, seconds=30, said=lambda: load.answers)
        time.sleep(2)
        away = Counter(load.answers)
        relay.join()
        until(lambda: load.answers[200] > away[200] + 3 and load.answers[302] > away[302] + 3, seconds=30)

    assert load.without_hint == 0
    assert set(load.answers) <= {200, 302, 503}, load.answers
    assert changes_agree(world.eddie)


def test_a_worker_killed_in_the_middle_leaves_nothing_half_written(site: Site, world: World) -> None:
    with under_load(site, world.eddie) as load:
        for _ in range(3):
            before = Counter(load.answers)
            until(lambda before=before: load.answers[302] > before[302] + 2, seconds=30)
            children = psutil.Process(site.process.pid).children()
            os.kill(children[0].pid, signal.SIGKILL)
        before = Counter(load.answers)
        until(lambda: load.answers[302] > before[302] + 2, seconds=30)

    # A broken connection is all that anybody noticed.
    assert set(load.answers) <= {0, 200, 302}, load.answers
    assert changes_agree(world.eddie)


def test_metrics_show_every_web_process_and_the_databases_figures_once(site: Site) -> None:
    asked = 40
    for _ in range(asked):
        assert site.ask("GET", "/privacy/", "")[0] == 200

    for _ in range(10):
        page = site.figures()
        (line,) = [one for one in page.splitlines() if one.startswith("django_http_requests_before_middlewares_total ")]
        assert float(line.split()[1]) >= asked
        assert len(re.findall(r"^digests_waiting ", page, re.MULTILINE)) == 1
