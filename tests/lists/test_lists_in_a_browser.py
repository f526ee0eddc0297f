"""A list can be used with the keyboard alone, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from partnerships.commitments.models import Commitment
from partnerships.lists.models import Follow, SavedView
from tests.commitments.promises import agree, in_days, propose
from tests.support.browser import WIDE, axe_violations, reflows, sign_in
from tests.world import World

pytestmark = pytest.mark.browser

#: A phone.
PHONE = {"width": 390, "height": 844}


def test_a_manager_does_everything_with_a_list_by_keyboard(world: World, live_server: Any, page: Any) -> None:
    agree(world, text="Cottages.", due_on=in_days(60))
    agree(world, text="Bungalows.", due_on=in_days(30))
    propose(world, text="Flats.", due_on=in_days(90))
    page.set_viewport_size(WIDE)
    sign_in(page, live_server.url, world.amina.email)
    page.goto(f"{live_server.url}{reverse('commitments:list')}")

    def press(role: str, name: str, key: str = "Enter", **more: Any) -> None:
        page.get_by_role(role, name=name, **more).press(key)

    # Filter, sort, group and choose columns.
    page.locator("input[name=status][value=agreed]").press("Space")
    page.get_by_role("rowheader", name="Flats.").wait_for(state="detached")
    page.get_by_role("link", name=re.compile("^Commitment.*sort by this")).press("Enter")
    page.get_by_role("columnheader", name="Commitment").and_(page.locator("[aria-sort=ascending]")).wait_for()
    in_order = page.get_by_role("rowheader").all_inner_texts()
    page.locator("summary", has_text="Choose columns").press("Enter")
    page.locator("#show-quantity").press("Space")
    press("button", "Show these columns")
    page.get_by_role("columnheader", name="Quantity").wait_for()
    page.get_by_label("Count by").select_option("status")
    page.get_by_role("region", name="Counts").wait_for()
    findings = [*axe_violations(page), reflows(page)]

    # Save, share and follow.
    press("link", "Save as a view")
    page.get_by_label("Name of the view").fill("Agreed")
    page.get_by_label("Name of the view").press("Enter")
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Agreed").wait_for()
    page.goto(f"{live_server.url}{reverse('lists:views')}")
    press("button", "Follow Agreed")
    page.get_by_role("button", name="Stop following Agreed").wait_for()
    press("link", "Share Agreed")
    page.get_by_label("Estuary Partnership").press("Space")
    press("button", "Save who can use the view")
    page.get_by_text("has been shared with Estuary Partnership").wait_for()

    # Several at once, on a phone.
    page.set_viewport_size(PHONE)
    page.goto(f"{live_server.url}{SavedView.objects.get().get_absolute_url()}")
    findings += [*axe_violations(page), reflows(page)]
    with page.expect_download() as download:
        press("link", "Excel")
    page.get_by_label("Choose Cottages.").press("Space")
    page.get_by_label("With the selected rows").select_option("remind")
    press("button", "Continue")
    page.get_by_role("heading", name="Remind the owners: 1 commitment").wait_for()
    findings += [*axe_violations(page), reflows(page)]
    press("button", "Remind owners")
    page.get_by_text("1 commitment: the owners have been reminded").wait_for()

    assert in_order == ["Bungalows.", "Cottages."]
    assert download.value.suggested_filename == "commitments.xlsx"
    assert Follow.objects.filter(person=world.amina).count() == 1
    assert Commitment.objects.count() == 3
    assert findings == [True, True, True]
