"""Components in a browser are accessible, and do not scroll sideways on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browser import NARROW, WIDE, axe_violations, click_to_next_page, reflows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.urls("tests.kit.styleguide")]


@pytest.fixture(autouse=True)
def _styleguide(settings: Any) -> None:
    """Serve the templates of the style guide."""
    templates = [dict(engine) for engine in settings.TEMPLATES]
    templates[0]["DIRS"] = [*templates[0]["DIRS"], Path(__file__).parent / "templates"]
    settings.TEMPLATES = templates


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])
def test_every_component_is_accessible_and_reflows(page: Any, live_server: Any, size: dict[str, int]) -> None:
    page.set_viewport_size(size)

    page.goto(f"{live_server.url}/styleguide/")

    assert axe_violations(page) == []
    assert reflows(page)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])
def test_form_full_of_errors_is_accessible_and_reflows(page: Any, live_server: Any, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    page.goto(f"{live_server.url}/styleguide/form/")

    click_to_next_page(page.get_by_role("button", name="Share this ask"))

    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    assert axe_violations(page) == []
    assert reflows(page)


def test_each_line_of_the_error_summary_links_to_its_field(page: Any, live_server: Any) -> None:
    page.goto(f"{live_server.url}/styleguide/form/")
    click_to_next_page(page.get_by_role("button", name="Share this ask"))

    links = page.locator(".govuk-error-summary__list a")

    for index in range(links.count()):
        links.nth(index).click()
        target = links.nth(index).get_attribute("href").removeprefix("#")
        expect(page.locator(f"[id='{target}']")).to_be_focused()


def test_no_component_violates_the_content_security_policy(page: Any, live_server: Any) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    page.goto(f"{live_server.url}/styleguide/")
    page.goto(f"{live_server.url}/styleguide/form/")

    assert complaints == []


def test_figures_of_a_table_are_shown(page: Any, live_server: Any) -> None:
    page.goto(f"{live_server.url}/styleguide/")

    displays = page.eval_on_selector_all(
        ".govuk-table__header--numeric, .govuk-table__cell--numeric",
        "cells => cells.map(cell => getComputedStyle(cell).display)",
    )

    assert set(displays) == {"table-cell"}
