"""The web under real faults, in reduced size: the database away under load, and workers killed in the middle."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from partnerships.activity.models import Event
from partnerships.people.models import User
from tests.faults.relay import Relay
from tests.world import World, make_world

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parent.parent.parent
ZONES = ("Europe/London", "Europe/Paris")


@dataclass
class Site:
    """A web server with two workers, its database behind a relay."""

    port: int
    relay: Relay
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, cookie: str, data: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, Retry-After and body; 0 where the connection broke."""
        asking = http.client.HTTPConnection("localhost", self.port, timeout=30)
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            asking.request(method, path, urlencode(data) if data else None, headers)
            answer = asking.getresponse()
            return answer.status, answer.headers.get("Retry-After", ""), answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return 0, "", ""
        finally:
            asking.close()


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    relay = Relay()
    relay.join()
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    environ = os.environ | {
        "DATABASE_URL": relay.url(),
        "DATABASE_OWNER_URL": "",
        "SECRET_KEY": settings.SECRET_KEY,
        "SITE_ORIGIN": f"http://localhost:{port}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "MEDIA_ROOT": str(tmp_path),
        "DEBUG": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "housing.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--threads", "2", "--no-control-socket", "--log-level", "critical"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    made = Site(port, relay, process)
    try:
        until(lambda: made.ask("GET", "/health/ready/", "")[0] == 200, seconds=60)
        yield made
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        process.kill()
        relay.cut()


def until(holds: Callable[[], bool], *, seconds: float, said: Callable[[], object] = str) -> None:
    """Wait for something to hold."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"It did not come about in time: {said()}"
        time.sleep(0.2)


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
    client = Client()
    client.force_login(person)
    session = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"
    page = client.get(reverse("people:details")).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    secret = client.cookies[settings.CSRF_COOKIE_NAME].value
    load = Load(site, f"{session}; {settings.CSRF_COOKIE_NAME}={secret}", token[1])
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
    events = Event.objects.filter(verb="changed their details", target_id=person.pk).order_by("pk")
    zone = ZONES[0]
    for event in events:
        if event.data["before"]["time_zone"] != zone:
            return False
        zone = event.data["after"]["time_zone"]
    return User.objects.get(pk=person.pk).time_zone == zone


def test_pages_say_503_while_the_database_is_away_and_go_on_when_it_is_back(site: Site, world: World) -> None:
    with under_load(site, world.eddie) as load:
        until(lambda: load.answers[200] > 3 and load.answers[302] > 3, seconds=30)
        site.relay.cut()
        until(lambda: load.answers[503] > 6, seconds=30, said=lambda: load.answers)
        time.sleep(2)
        away = Counter(load.answers)
        site.relay.join()
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
