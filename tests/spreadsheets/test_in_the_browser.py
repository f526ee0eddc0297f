"""Cells that were copied in a spreadsheet are pasted into a plan, in a real browser."""

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

#: Cells as a housing team may have them, with a column for each year.
GRID = (
    "Tenure\\tBeds\\t2027/28\\t2028/29\\tTotal\\n"
    "Social Rent\\t2 bed\\t1,020\\t5\\t1,025\\nmarket sale\\tStudio\\t\\t4\\t4\\nno such\\t\\t1\\t\\t1\\n"
    "Social Rent\\t2\\t\\t2\\t2\\nTotal\\t\\t1,021\\t11\\t1,032"
)


def paste(field: Any, cells: str) -> None:
    """Paste cells that were copied in a spreadsheet."""
    field.evaluate(
        f"""(field) => {{
            const data = new DataTransfer();
            data.setData("text/plain", "{cells}");
            field.dispatchEvent(new ClipboardEvent("paste", {{clipboardData: data, bubbles: true, cancelable: true}}));
        }}"""
    )


def test_cells_are_pasted_into_the_homes_table_and_pages_of_imports_are_accessible(page: Any, live_server: Any) -> None:
    world = make_world()
    plan = begin(world)
    sites_upload = upload(plan, world.amina, "sites", "Name,Area\nMill Lane,Fareham\nDock,Atlantis\n")
    sign_in(page, live_server.url, world.amina.email)
    site = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "north-quay"})
    page.goto(live_server.url + site)

    paste(page.locator("select[name=homes-1-tenure]"), GRID)

    expect(page.get_by_role("status").filter(has_text="4 rows pasted. 1 cell was not recognised")).to_be_visible()
    expect(page.locator("[data-homes-total]")).to_have_text("1,032")
    page.locator("input[name=homes-MAX_NUM_FORMS]").evaluate(
        "(field) => { field.value = document.querySelector('input[name=homes-TOTAL_FORMS]').value; }"
    )
    paste(page.locator("[data-homes-count]").last, "7\\n8\\n9")
    expect(page.get_by_role("status").filter(has_text="1 row pasted. 2 rows do not fit")).to_be_visible()
    page.locator("[data-homes-count]").last.fill("")
    page.get_by_role("button", name="Save", exact=False).first.click()
    expect(page.locator("main")).to_contain_text("saved in the draft")
    homes = next(site for site in draft_content(plan)["sites"] if site["key"] == "north-quay")["homes"]
    assert {(line["tenure"], line["bedrooms"], line["year"], line["count"]) for line in homes} == {
        ("social_rent", 2, "2027-28", 1020),
        ("social_rent", 2, "2028-29", 7),
        ("market_sale", 0, "2028-29", 4),
        ("unknown", None, "2027-28", 1),
    }

    problems: dict[str, Any] = {}
    for address in (
        reverse("spreadsheets:record", args=["plan", plan.pk]),
        reverse("spreadsheets:new", args=["plan", plan.pk, "homes"]),
        reverse("spreadsheets:headings", args=[sites_upload.pk]),
        sites_upload.get_absolute_url(),
    ):
        page.set_viewport_size(WIDE)
        page.goto(live_server.url + address)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            violations = axe_violations(page, is_narrowed=size == NARROW)
            if violations or not reflows(page):
                problems[f"{address} at {size['width']}"] = violations or "does not reflow"
    assert problems == {}
