"""A quarter's return goes from its upload to an ask in a real browser, although the page is closed in between.

A real worker counts, and nothing about a household is in the broker, in a dump of the database or in the worker's log.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from playwright.sync_api import expect

from housing.celery import app
from partnerships.nominations.models import LettingsRun
from partnerships.nominations.tasks import count_waiting
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.faults.relay import Relay
from tests.faults.restore import BIN
from tests.nominations.quarters import collection_year, days_after, lettings_of, next_quarter
from tests.nominations.signed import sign_nominations
from tests.support.browser import click_to_next_page, sign_in
from tests.support.core_files import CANARY, core_file
from tests.world import World, make_world

#: A queue of its own in the broker that tests share.
_QUEUE = f"lettings-{os.getpid()}"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def broker_url() -> str:
    """Return the URL of the broker, which `make test` starts."""
    return os.environ["REDIS_URL"]


@contextlib.contextmanager
def worker(log: Path) -> Iterator[None]:
    """Run a worker that takes tasks from the broker, on the test database."""
    relay = Relay()
    relay.join()
    environ = os.environ | {
        "DATABASE_URL": relay.url(),
        "DATABASE_WORKER_URL": "",
        "DATABASE_OWNER_URL": "",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "DEBUG": "1",
    }
    arguments = [
        "worker",
        "--pool",
        "solo",
        "--queues",
        _QUEUE,
        "--loglevel",
        "debug",
        "--without-mingle",
        "--without-gossip",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "housing", *arguments], env=environ, stdout=output, stderr=output
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)
            relay.cut()


def broker_content() -> bytes:
    """Return everything that is stored in the broker."""
    with app.connection_for_write(broker_url()) as broker_connection:
        client = broker_connection.default_channel.client
        reader_by_type = {
            b"string": client.get,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"hash": client.hgetall,
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"none": lambda _key: None,  # a key of another test that has just been deleted
        }
        return repr([(key, reader_by_type[client.type(key)](key)) for key in client.keys("*")]).encode()


def database_dump() -> bytes:
    """Return a dump of the test database, as text."""
    settings = connection.settings_dict
    arguments = [
        "--host",
        settings["HOST"],
        "--port",
        str(settings["PORT"]),
        "--username",
        settings["USER"],
        settings["NAME"],
    ]
    environ = os.environ | {"PGPASSWORD": settings["PASSWORD"]}
    return subprocess.run([BIN / "pg_dump", *arguments], env=environ, capture_output=True, check=True).stdout


def test_a_return_from_upload_to_an_ask(
    page: Any, live_server: Any, transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        count_waiting,
        "delay",
        lambda: count_waiting.apply_async(queue=_QUEUE, connection=app.connection_for_write(broker_url())),
    )
    world: World = make_world()
    agreement = sign_nominations(world)
    file = tmp_path / "lettings.csv"
    file.write_bytes(core_file(lettings_of(world, 300), year=collection_year()))
    quarter = str(next_quarter())
    agreement_url = live_server.url + agreement.get_absolute_url()

    with time_machine.travel(days_after(), tick=True):
        sign_in(page, live_server.url, world.amina.email)
        page.goto(agreement_url)
        page.get_by_role("link", name="Start a return").click()
        page.get_by_label(quarter).check()
        page.get_by_role("button", name="Start return").click()
        page.get_by_role("link", name="Upload lettings").click()
        page.get_by_label("CORE lettings export").set_input_files(file)
        page.get_by_role("button", name="Upload lettings").click()
        expect(page.get_by_role("heading", name="Counting lettings")).to_be_visible()
        looks_right(page)
        nominations_return = page.url

        # The page is closed; a worker counts half of the rows, then all of them, while another page is open.
        page.goto("about:blank")
        LettingsRun.objects.update(done=150)
        page.goto(nominations_return)
        expect(page.get_by_text("150 of 300 rows")).to_be_visible()
        broker_before_count = broker_content()
        with worker(tmp_path / "worker.log"):
            expect(page.get_by_role("heading", name="Rows in the upload")).to_be_visible()
        assert _QUEUE.encode() in broker_before_count
        for content in (broker_before_count, broker_content(), database_dump(), (tmp_path / "worker.log").read_bytes()):
            assert CANARY.encode() not in content
        looks_right(page)

        page.get_by_role("link", name="Add what is missing from CORE").click()
        page.get_by_label("Relets, 2 bedrooms: Offers made").fill("90")
        looks_right(page)
        page.get_by_role("button", name="Save figures").click()
        page.get_by_role("link", name="Send return").click()
        page.get_by_role("button", name="Send return").click()
        expect(page.get_by_text("has been sent")).to_be_visible()

        page.context.clear_cookies()
        sign_in(page, live_server.url, world.ben.email)
        page.goto(nominations_return)
        click_to_next_page(page.get_by_role("link", name="Confirm or dispute"))
        looks_right(page)
        click_to_next_page(page.get_by_role("button", name="Confirm every line"))
        looks_right(page)
        page.get_by_role("button", name="Ask for these nominations").first.click()
        expect(page.get_by_role("heading", name="Nominations to make up").first).to_be_visible()
        page.goto(agreement_url)
        looks_right(page)
