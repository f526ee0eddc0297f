"""Cells that were copied in a spreadsheet are pasted into the table of homes, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from partnerships.plans.queries import draft_content
from tests.plans.drafts import begin
from tests.spreadsheets.sheets import upload
from tests.support.browser import NARROW, WIDE, axe_violations, reflows, sign_in
from tests.world import make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

CELLS = (
    "Social Rent\\t2 bed\\tGeneral needs\\t2027-28\\t1,020\\n"
    "market sale\\tStudio\\tolder people\\t2029\\t4\\nno such\\t\\t\\t\\t1"
)


def test_cells_are_pasted_into_the_homes_table_and_pages_of_imports_are_accessible(page: Any, live_server: Any) -> None:
    world = make_world()
    plan = begin(world)
    made = upload(plan, world.amina, "sites", "Name,Area\nMill Lane,Fareham\nDock,Atlantis\n")
    sign_in(page, live_server.url, world.amina.email)
    site = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "north-quay"})
    page.goto(live_server.url + site)

    page.locator("select[name=homes-1-tenure]").evaluate(
        f"""(field) => {{
            const data = new DataTransfer();
            data.setData("text/plain", "{CELLS}");
            field.dispatchEvent(new ClipboardEvent("paste", {{clipboardData: data, bubbles: true, cancelable: true}}));
        }}"""
    )

    expect(page.get_by_role("status").filter(has_text="3 rows pasted. 1 cell was not recognised")).to_be_visible()
    expect(page.locator("[data-homes-total]")).to_have_text("1,145")
    page.locator("select[name$=-tenure]").last.evaluate(
        """(field) => {
            const value = (name) => document.querySelector(`input[name=homes-${name}_FORMS]`);
            value("MAX_NUM").value = value("TOTAL").value;
            const data = new DataTransfer();
            data.setData("text/plain", "\\t\\n\\t\\n\\tx");
            field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.get_by_role("status").filter(has_text="1 row pasted. 2 rows do not fit")).to_be_visible()
    page.get_by_role("button", name="Save", exact=False).first.click()
    homes = next(one for one in draft_content(plan)["sites"] if one["key"] == "north-quay")["homes"]
    assert {(one["tenure"], one["bedrooms"], one["year"], one["count"]) for one in homes} == {
        ("social_rent", 2, "2027-28", 1140),
        ("market_sale", 0, "2029", 4),
        ("unknown", None, "", 1),
    }

    problems: dict[str, Any] = {}
    for address in (
        reverse("spreadsheets:record", args=["plan", plan.pk]),
        reverse("spreadsheets:new", args=["plan", plan.pk, "homes"]),
        reverse("spreadsheets:headings", args=[made.pk]),
        made.get_absolute_url(),
    ):
        page.set_viewport_size(WIDE)
        page.goto(live_server.url + address)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            found = axe_violations(page, is_narrowed=size == NARROW)
            if found or not reflows(page):
                problems[f"{address} at {size['width']}"] = found or "does not reflow"
    assert problems == {}
