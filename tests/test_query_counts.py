"""Pages make only the recorded queries, also for twice as many rows.

After a change that is meant to cost more, record again and check the difference before committing it:

    RECORD_QUERY_COUNTS=1 make test ARGS=tests/test_query_counts.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.services import add_membership
from partnerships.people.models import User
from tests.support.prepared import ROWS, media_root, world
from tests.test_access import ADMIN_INDEXES, stands_alone
from tests.world import DEMO, World

__all__ = ["media_root", "world"]

RECORDED = Path(__file__).parent / "query_counts.json"
RECORD = bool(os.environ.get("RECORD_QUERY_COUNTS"))
#: One more query for a second organisation, or for a first row in an empty list, whatever the number of rows.
FILLING = 1


def queries(client: Client, address: str, *, allowed: int) -> int:
    """The queries of one visit, after another that fills the caches.

    If they are more than allowed, of the better of two visits: a cached value may expire on the way to one.
    """
    count = _visit(client, address)
    return count if count <= allowed else min(count, _visit(client, address))


def _visit(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
        if not answer.streaming:
            assert answer.status_code == 200, address
    return len(captured)


@pytest.mark.django_db
def test_no_page_makes_more_queries_than_recorded(world: World, settings: LazySettings) -> None:
    settings.EXPORTS_PER_MINUTE = 1_000  # every page with an export is opened twice here
    client = Client()
    client.force_login(world.amina)
    recorded = json.loads(RECORDED.read_text())
    found = {}
    for row in ROWS:
        if row.get is not None and row.get["lead"] == 200:
            name, address = f"{row.name}{row.query}", reverse(row.name, kwargs=row.on(world)) + row.query
            found[name] = queries(client, address, allowed=recorded.get(name, 0))
    if RECORD:
        RECORDED.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        recorded = found

    assert {name: count for name, count in found.items() if count > recorded.get(name, 0)} == {}
    assert set(recorded) <= set(found), "A recorded page is gone: record the counts again."


def second_network(folder: Path) -> Path:
    """The demonstration again, with other names, addresses and numbers."""
    content = json.loads(DEMO.read_text(encoding="utf-8"))
    content["name"] += "-two"
    for organisation in content["organisations"]:
        organisation["name"] += " Two"
        organisation["names"] = []
        for identifier in organisation.get("identifiers", []):
            identifier["value"] += "2"
    for person in content["people"]:
        person["email"] = f"two.{person['email']}"
    file = folder / "second.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_twice_as_many_records_need_no_more_queries(db: None, settings: Any, tmp_path: Path, client: Client) -> None:
    settings.DEMONSTRATION = True
    settings.EXPORTS_PER_MINUTE = 1_000  # as above, four times
    call_command("load_network", str(DEMO), "--demo-passwords", verbosity=0)
    amina, dee = (User.objects.get(email=f"{name}.example") for name in ("amina@larkhaven", "dee@commonground"))
    pages = [
        (amina, row.name + row.query, reverse(row.name) + row.query)
        for row in ROWS
        if row.get is not None and row.get["lead"] == 200 and stands_alone(row.name)
    ]
    pages += [(dee, name, reverse(name)) for name in ADMIN_INDEXES if name.endswith("_changelist")]
    clients = {amina: Client(), dee: Client()}
    for person, visitor in clients.items():
        visitor.force_login(person)
    once = {name: _visit(clients[person], address) for person, name, address in pages}

    call_command("load_network", str(second_network(tmp_path)), "--demo-passwords", verbosity=0)
    twin = Organisation.objects.get(name__startswith="Larkhaven", name__endswith="Two")
    add_membership(organisation=twin, person=amina, role=Role.LEAD, author=None, now=timezone.now())
    cache.clear()
    twice = {name: queries(clients[person], address, allowed=once[name] + FILLING) for person, name, address in pages}

    assert {name: (once[name], cost) for name, cost in twice.items() if cost > once[name] + FILLING} == {}
