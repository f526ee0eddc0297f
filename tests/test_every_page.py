"""Every page has a title of its own and one heading of level one, and changes nothing.

It makes no more queries than recorded, nor more for twice as many rows. After a change that is meant to cost more
queries, record again and check the difference before committing it:

    RECORD_QUERY_COUNTS=1 make test ARGS=tests/test_every_page.py
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, reset_queries
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.services import add_membership
from partnerships.people.models import User
from tests.support.access import PERSONAS, WHO, Row
from tests.support.prepared import ROWS, media_root, world
from tests.test_access import ADMIN_INDEXES, stands_alone
from tests.world import DEMO, World, load_demonstration

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.slow

RECORDED = Path(__file__).parent / "query_counts.json"
RECORD = bool(os.environ.get("RECORD_QUERY_COUNTS"))
#: One more query for a second organisation, or for a first row in an empty list, whatever the number of rows.
FILLING = 1
#: Visits to a page that makes more queries than allowed, before that count is believed.
VISITS = 4


#: Pages that show an email, or a part of a page for htmx: not ours to title.
NO_PAGES = frozenset({"digests:as-sent"})
#: Files that are not made from records: as somebody uploaded them, and empty spreadsheets. All others are exports.
NO_EXPORTS = frozenset(
    {
        "agreements:document-download",
        "answers:file",
        "commitments:evidence",
        "conversations:file",
        "plans:document",
        "spreadsheets:template",
    }
)
#: Pages with exports are opened more often in these tests than people may in a minute.
MANY_EXPORTS = 1_000


#: The table that a statement writes to. Not a lock ("FOR UPDATE OF"), and not the end of an upsert ("DO UPDATE SET").
_WRITE = re.compile(r'(?:INSERT INTO|(?<!FOR )(?<!KEY )(?<!DO )UPDATE|DELETE FROM)\s+(?:ONLY\s+)?"?(\w+)"?')
#: What opening any page may write: counts of limits, the log of exports, and when a session was last used.
MAY_BE_WRITTEN = frozenset({"people_tally", "activity_export", "cache_entry", "django_session"})
#: What some pages write besides.
ALSO_WRITTEN = {
    "calendars:feed": {"calendars_calendaraddress"},  # when a program last read it, for its owner
    "people:own-data": {"activity_event", "people_securityevent"},  # that it was exported
    "plans:compare": {"digests_watermark"},  # its reader has seen these changes
    "plans:compare-pdf": {"plans_comparedpaper"},  # kept for the next reader
    "plans:pdf": {"plans_paper"},
}


class Visit(NamedTuple):
    """What one visit took: its queries, the page ("" for a file), the tables that it wrote to, and if it is a file."""

    queries: int
    text: str
    written: frozenset[str]
    is_file: bool


def visit(client: Client, address: str) -> Visit:
    """Open a page."""
    reset_queries()  # Django logs at most 9,000 queries, and counts none after that.
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
        if not answer.streaming:
            assert answer.status_code == 200, address
    is_page = not answer.streaming and "text/html" in answer["Content-Type"]
    written = frozenset(table for one in captured.captured_queries for table in _WRITE.findall(one["sql"]))
    is_file = answer.get("Content-Disposition", "").startswith("attachment")
    return Visit(len(captured), answer.content.decode() if is_page else "", written, is_file)


def queries(client: Client, address: str, *, allowed: int = 0) -> Visit:
    """A visit.

    If its queries are more than allowed, the best of four: values in caches may be missing, and each expires at a
    time of its own.
    """
    best = visit(client, address)
    for _ in range(VISITS - 1):
        if best.queries <= allowed:
            break
        best = best._replace(queries=min(best.queries, visit(client, address).queries))
    return best


def _other_reader(world: World, row: Row) -> Client | None:
    """The browser of the first persona who may open a page that leads may not."""
    readers = [persona for persona in PERSONAS if row.get is not None and row.get[persona] == 200]
    if not readers:
        return None
    client = Client()
    if readers[0] in WHO:
        client.force_login(getattr(world, WHO[readers[0]]))
    return client


@dataclass(frozen=True)
class Opened:
    """What opening every page of the access table gave, by URL name and query."""

    #: Queries of each page for leads.
    counts: dict[str, int]
    #: HTML of each page for leads, and of those for others only.
    pages: dict[str, str]
    #: The tables that opening each page writes to.
    written: dict[str, set[str]]
    #: Those that are files.
    files: set[str]


@pytest.fixture(scope="module")
def opened(world: World, django_db_blocker: Any) -> Opened:
    """Every page, opened once for all tests of this module."""
    recorded = json.loads(RECORDED.read_text())
    lead, found = Client(), Opened({}, {}, {}, set())
    with django_db_blocker.unblock(), override_settings(EXPORTS_PER_MINUTE=MANY_EXPORTS):
        lead.force_login(world.amina)
        for row in ROWS:
            name, address = row.label, reverse(row.name, kwargs=row.on(world)) + row.query
            if row.get is not None and row.get["lead"] == 200:
                seen = queries(lead, address, allowed=0 if RECORD else recorded.get(name, 0))
                found.counts[name] = seen.queries
            elif other := _other_reader(world, row):
                seen = visit(other, address)
            else:
                continue
            found.written[name] = set(seen.written)
            if seen.is_file:
                found.files.add(name)
            if seen.text and row.name not in NO_PAGES:
                found.pages[name] = seen.text
    return found


@pytest.mark.django_db
def test_no_page_makes_more_queries_than_recorded(opened: Opened) -> None:
    if RECORD:
        RECORDED.write_text(json.dumps(opened.counts, indent=1, sort_keys=True) + "\n")
    recorded = json.loads(RECORDED.read_text())

    assert {name: count for name, count in opened.counts.items() if count > recorded.get(name, 0)} == {}
    assert set(recorded) <= set(opened.counts), "A recorded page is gone: record the counts again."


@pytest.mark.django_db
def test_opening_a_page_changes_nothing(opened: Opened) -> None:
    changed = {name: tables - MAY_BE_WRITTEN - ALSO_WRITTEN.get(name, set()) for name, tables in opened.written.items()}

    assert {name: sorted(tables) for name, tables in changed.items() if tables} == {}


@pytest.mark.django_db
def test_every_file_that_is_made_for_a_reader_is_logged(opened: Opened) -> None:
    unlogged = {name for name in opened.files if "activity_export" not in opened.written[name]}

    assert {name.partition("?")[0] for name in unlogged} == NO_EXPORTS


def _texts(tag: str, page: str) -> list[str]:
    found = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", one)).split()) for one in found]


@pytest.mark.django_db
def test_no_two_pages_share_a_title(opened: Opened) -> None:
    by_title = defaultdict(set)
    untitled = []
    for name, page in opened.pages.items():
        [title] = _texts("title", page)
        if not title or title == "Common Ground":
            untitled.append(name)
        by_title[title].add(name.partition("?")[0])

    shared = {title: sorted(names) for title, names in by_title.items() if len(names) > 1}
    assert untitled == []
    assert "\n".join(f"{title}: {', '.join(names)}" for title, names in sorted(shared.items())) == ""


@pytest.mark.django_db
def test_every_page_has_one_heading_of_level_one(opened: Opened) -> None:
    headings = {name: _texts("h1", page) for name, page in opened.pages.items()}

    assert {name: found for name, found in headings.items() if len(found) != 1 or not found[0]} == {}


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
    settings.EXPORTS_PER_MINUTE = MANY_EXPORTS
    load_demonstration()
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
    once = {name: queries(clients[person], address).queries for person, name, address in pages}

    call_command("load_network", str(second_network(tmp_path)), "--demo-passwords", verbosity=0)
    twin = Organisation.objects.get(name__startswith="Larkhaven", name__endswith="Two")
    add_membership(organisation=twin, person=amina, role=Role.LEAD, author=None, now=timezone.now())
    amina.memberships.update(starts_on=amina.memberships.earliest("starts_on").starts_on)  # no steps of a new lead
    cache.clear()
    twice = {
        name: queries(clients[person], address, allowed=once[name] + FILLING).queries for person, name, address in pages
    }

    assert {name: (once[name], cost) for name, cost in twice.items() if cost > once[name] + FILLING} == {}
