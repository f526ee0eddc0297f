"""Each page has its own title and heading, unique within a record."""

from __future__ import annotations

import re
from collections import defaultdict
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.access import PERSONAS, WHO, Row
from tests.support.prepared import ROWS, media_root, world
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db

#: Pages that show an email, or a part of a page for htmx: not ours to title.
NO_PAGES = frozenset({"digests:as-sent"})


def _visitor(world: World, row: Row) -> Client | None:
    """The browser of the first persona who may open the page, leads first."""
    readers = [persona for persona in ("lead", *PERSONAS) if row.get is not None and row.get[persona] == 200]
    if not readers:
        return None
    client = Client()
    if readers[0] in WHO:
        client.force_login(getattr(world, WHO[readers[0]]))
    return client


@pytest.fixture(scope="module")
def pages(world: World, django_db_blocker: Any) -> dict[str, str]:
    """Every page of the access table: HTML by URL name and query."""
    with django_db_blocker.unblock():
        return _opened(world)


def _opened(world: World) -> dict[str, str]:
    found = {}
    for row in ROWS:
        client = _visitor(world, row)
        if client is None or row.name in NO_PAGES:
            continue
        address = reverse(row.name, kwargs=row.on(world)) + row.query
        answer = client.get(address)
        if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
            found[f"{row.name}{row.query}"] = answer.content.decode()
    return found


def _texts(tag: str, page: str) -> list[str]:
    found = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", one)).split()) for one in found]


def test_no_two_pages_share_a_title(pages: dict[str, str]) -> None:
    by_title = defaultdict(set)
    untitled = []
    for name, page in pages.items():
        [title] = _texts("title", page)
        if not title or title == "Common Ground":
            untitled.append(name)
        by_title[title].add(name.partition("?")[0])

    shared = {title: sorted(names) for title, names in by_title.items() if len(names) > 1}
    assert untitled == []
    assert "\n".join(f"{title}: {', '.join(names)}" for title, names in sorted(shared.items())) == ""


def test_every_page_has_one_heading_of_level_one(pages: dict[str, str]) -> None:
    headings = {name: _texts("h1", page) for name, page in pages.items()}

    assert {name: found for name, found in headings.items() if len(found) != 1 or not found[0]} == {}
