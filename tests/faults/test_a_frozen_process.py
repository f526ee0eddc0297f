"""Pages do not wait for a process that freezes while it holds a lock, and the database ends its transaction."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

from tests.faults.site import ROOT, serving, signed_in, until
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


def test_pages_do_not_wait_for_a_frozen_process_whose_transaction_the_database_ends(
    world: World, tmp_path: Path
) -> None:
    cookie, token = signed_in(world.eddie)
    form = {"resume": "1", "csrfmiddlewaretoken": token}

    # The web's role has the shortest limit for an idle transaction.
    with limited_role("web") as web, limited_role("worker") as worker, serving(web, media=tmp_path) as site:

        def change() -> tuple[int, str, str]:
            return site.ask("POST", reverse("digests:manage"), cookie, form)

        assert change()[0] == 302
        with frozen_holder(worker):
            status, retry_after, page = change()
            is_still_held = is_lock_held()
            reading = site.ask("GET", reverse("digests:manage"), cookie)[0]
        with frozen_holder(web):
            assert change()[0] == 503
            until(lambda: change()[0] == 302, seconds=150)

    assert status == 503
    assert int(retry_after) > 0
    assert "Try again" in page
    assert is_still_held
    assert reading == 200
