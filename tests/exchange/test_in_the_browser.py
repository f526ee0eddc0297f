"""Pages of asks and offers are accessible in a real browser, and filters show counts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from partnerships.exchange import services
from tests.exchange.access import prepare
from tests.exchange.conftest import shared_entry
from tests.support.browser import NARROW, WIDE, axe_violations, reflows, sign_in
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

#: Pages that need a record or a query in their URL. tests/test_every_page_is_accessible.py opens all other pages.
PAGES = (
    "/ask-and-offer/?theme=land&q=modular",
    "/lists/asks/views/new/?theme=land",
    "/ask-and-offer/{ask}/",
    "/ask-and-offer/{ask}/matches/",
    "/ask-and-offer/{ask}/edit/",
    "/ask-and-offer/{ask}/withdraw/",
    "/ask-and-offer/{ask}/matches/{offer}/dismiss/",
    "/ask-and-offer/{offer}/respond/",
    "/ask-and-offer/{offer}/refer/",
    "/organisations/{larkhaven}/",
    "/organisations/{larkhaven}/developer-agreements/",
)


@pytest.fixture
def live_world(transactional_db: None) -> World:
    """Return the world with asks, offers, answers and matches, for a live server."""
    world = make_world()
    prepare(world)
    services.match_due_entries(now=world.now)
    return world


def test_pages_of_entries_are_accessible_and_reflow(page: Any, live_server: Any, live_world: World) -> None:
    id_by_name = {name: thing.pk for name, thing in live_world.things.items()} | {"larkhaven": live_world.larkhaven.pk}
    sign_in(page, live_server.url, "amina@larkhaven.example")
    faults_by_page = {}

    for path in PAGES:
        page.set_viewport_size(WIDE)
        response = page.goto(f"{live_server.url}{path.format(**id_by_name)}")
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            faults = axe_violations(page, is_narrowed=size == NARROW)
            faults += [] if reflows(page) else ["needs sideways scrolling"]
            if response.status != 200 or faults:
                faults_by_page[path, size["width"]] = [response.status, *faults]

    assert faults_by_page == {}


def test_the_counts_update_when_a_filter_changes(page: Any, live_server: Any, live_world: World) -> None:
    shared_entry(live_world.larkhaven, live_world.amina, live_world.now, title="A dashboard", theme="data")
    sign_in(page, live_server.url, "chidi@tidewater.example")
    page.goto(f"{live_server.url}/ask-and-offer/")
    asks = page.locator("#count-direction-ask")
    expect(asks).to_have_text("1")

    page.get_by_label("Land (").check()
    page.wait_for_url("**theme=land**")

    page.get_by_text("match these filters. Remove a filter").first.wait_for()
    expect(asks).to_have_text("0")
    expect(page.locator("#count-theme-data")).to_have_text("1")
