"""Pages do not wait for a process that freezes while it holds a lock, and the database ends its transaction."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

from tests.faults.site import ROOT, Site, serving, signed_in, until
from tests.support.roles import limited_role
from tests.world import World, make_world

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOLD = """
import time, django
django.setup()
from django.db import transaction
from partnerships.digests.planning.timing import lock_planning
with transaction.atomic():
    lock_planning()
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def world(transactional_db: None) -> World:
    """Return everybody, in a database that commits."""
    return make_world()


@contextmanager
def frozen_holder(database: str) -> Iterator[subprocess.Popen[str]]:
    """Provide a process that took the digests' lock and was then stopped, as on a machine that swaps."""
    environ = os.environ | {
        "DATABASE_URL": database,
        "DATABASE_WORKER_URL": "",
        "DATABASE_OWNER_URL": "",
        "DJANGO_SETTINGS_MODULE": "housing.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "1",
    }
    holder = subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        yield holder
    finally:
        holder.kill()
        holder.wait()


def is_lock_held() -> bool:
    """Return whether a transaction in this database holds the digests' lock, the only one of its type in this test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


@pytest.fixture
def web_database(world: World) -> Iterator[str]:
    """Provide the address of the database with the web's role, which may keep a transaction idle for the least time."""
    with limited_role("web") as address:
        yield address


@pytest.fixture
def worker_database(world: World) -> Iterator[str]:
    """Provide the address of the database with the worker's role."""
    with limited_role("worker") as address:
        yield address


@pytest.fixture
def site(web_database: str, tmp_path: Path) -> Iterator[Site]:
    """Provide a running site."""
    with serving(web_database, media=tmp_path) as running_site:
        yield running_site


class Page(NamedTuple):
    """The status, the header Retry-After and the HTML of a page."""

    status: int
    retry_after: str
    html: str


class DigestsPage:
    """The page on which Eddie manages his digests. Changes need the digests' lock."""

    def __init__(self, site: Site, world: World) -> None:
        self.site = site
        self.cookie, self.token = signed_in(world.eddie)

    def read(self) -> Page:
        """Open the page."""
        return Page(*self.site.ask("GET", reverse("digests:manage"), self.cookie))

    def change(self) -> Page:
        """Resume digests on the page."""
        form = {"resume": "1", "csrfmiddlewaretoken": self.token}
        return Page(*self.site.ask("POST", reverse("digests:manage"), self.cookie, form))


@pytest.fixture
def digests_page(site: Site, world: World) -> DigestsPage:
    """Provide the page, which Eddie can change before a process freezes."""
    digests_page = DigestsPage(site, world)
    assert digests_page.change().status == 302
    return digests_page


def test_changes_are_refused_at_once_while_a_frozen_process_holds_their_lock(
    digests_page: DigestsPage, worker_database: str
) -> None:
    with frozen_holder(worker_database):
        page = digests_page.change()
        is_still_held = is_lock_held()

    assert page.status == 503
    assert int(page.retry_after) > 0
    assert "Try again" in page.html
    assert is_still_held


def test_pages_can_be_read_while_a_frozen_process_holds_a_lock(digests_page: DigestsPage, worker_database: str) -> None:
    with frozen_holder(worker_database):
        page = digests_page.read()

    assert page.status == 200


def test_changes_are_saved_once_the_database_has_ended_a_frozen_transaction(
    digests_page: DigestsPage, web_database: str
) -> None:
    with frozen_holder(web_database):
        status_at_first = digests_page.change().status
        until(lambda: digests_page.change().status == 302, seconds=150)

    assert status_at_first == 503
