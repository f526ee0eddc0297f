"""The inbox and the page of choices work in a real browser."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.urls import reverse

from partnerships.digests.models import InboxItem
from partnerships.digests.queries.ways import ways_of
from tests.commitments.promises import propose
from tests.support.browser import NARROW, WIDE, axe_violations, click_to_next_page, reflows, sign_in
from tests.world import World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_somebody_reads_the_inbox_and_marks_it(world: World, live_server: Any, page: Any, size: Any) -> None:
    propose(world)
    propose(world, text="Ten flats at Mill Lane for key workers.")
    page.set_viewport_size(size)
    sign_in(page, live_server.url, world.ben.email)
    page.goto(f"{live_server.url}{reverse('digests:inbox')}")
    shot(page, f"inbox-{size['width']}")
    is_accessible = axe_violations(page) == [] and reflows(page)

    click_to_next_page(page.get_by_role("link", name="Ten flats at Mill Lane"))
    page.goto(f"{live_server.url}{reverse('digests:inbox')}")
    unread = InboxItem.objects.unread().filter(person=world.ben).count()
    page.get_by_role("button", name="Mark all as read").click()
    page.get_by_text("You have read everything.").wait_for()

    assert is_accessible
    assert unread == 1
    assert axe_violations(page) == []


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_somebody_chooses_how_notices_come(world: World, live_server: Any, page: Any, size: Any) -> None:
    page.set_viewport_size(size)
    sign_in(page, live_server.url, world.ben.email)
    page.goto(f"{live_server.url}{reverse('digests:manage')}")
    shot(page, f"choices-{size['width']}")
    is_accessible = axe_violations(page) == [] and reflows(page)

    page.get_by_label("Asks and offers", exact=True).select_option(label="Inbox only")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your choice has been saved.").wait_for()

    assert is_accessible
    assert ways_of(world.ben)["asks"] == "inbox"


def shot(page: Any, name: str) -> None:
    """Save a screenshot in the folder LOOK, if that is set."""
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
