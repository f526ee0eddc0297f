"""Every page for leads passes axe (WCAG 2.2 AA) and reflows.

At the width of a phone and of a desk.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Error

from tests.support.access import Row
from tests.support.browser import NARROW, WIDE, axe_violations, enter, reflows, sign_in
from tests.support.prepared import ROWS, prepared
from tests.test_access import ACCOUNT_PAGES, stands_alone
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def shown(transactional_db: None) -> World:
    """Return the world of the access table, for a server beside the test."""
    return prepared()


def addresses(world: World) -> list[str]:
    """Return the addresses of all pages that a lead may open: ours, and allauth's without parameters."""
    rows: list[Row] = [row for row in ROWS if row.get is not None and row.get["lead"] == 200]
    found = [reverse(row.name, kwargs=row.on(world)) + row.query for row in rows]
    found += [reverse(name) for name in ACCOUNT_PAGES if stands_alone(name)]
    return list(dict.fromkeys(found))


def open_page(page: Any, address: str) -> str | None:
    """Open a page; None for a file to download, or one that sends elsewhere.

    Pages that run no scripts, in which axe cannot work, are returned as text: the copies of emails exactly as sent.
    """
    try:
        response = page.goto(address)
    except Error as error:
        if "Download is starting" not in str(error):
            raise
        return None
    if page.url != address or "html" not in response.headers.get("content-type", ""):
        return None
    if "sandbox" not in response.headers.get("content-security-policy", ""):
        return ""
    text = response.text()
    page.goto("about:blank")
    page.set_content(text)
    return str(text)


@pytest.mark.parametrize("half", [0, 1], ids=["even", "odd"])
def test_every_page_is_accessible_and_reflows(page: Any, live_server: Any, shown: World, half: int) -> None:
    """Each page at the width of a desk, then at that of a phone.

    In halves, for two workers.
    """
    page.set_viewport_size(WIDE)
    sign_in(page, live_server.url, shown.amina.email)
    problems: dict[str, Any] = {}
    seen = 0

    for address in addresses(shown)[half::2]:
        page.set_viewport_size(WIDE)
        text = open_page(page, live_server.url + address)
        if text is None:
            continue
        seen += 1
        found = axe_violations(page, is_email=bool(text))
        found += [] if reflows(page) else ["does not reflow"]
        page.set_viewport_size(NARROW)
        found += [] if text else axe_violations(page, is_narrowed=True)
        found += [] if reflows(page) else ["does not reflow on a phone"]
        if found:
            problems[address] = found

    assert problems == {}
    assert seen > 50


def test_administration_is_accessible(page: Any, live_server: Any, shown: World) -> None:
    enter(page, live_server.url, shown.dee)
    problems: dict[str, Any] = {}

    for name in ("index", "organisations_organisation_changelist", "people_user_changelist"):
        page.goto(f"{live_server.url}{reverse(f'admin:{name}')}")
        problems[name] = [page.title(), *axe_violations(page)]

    assert all(len(found) == 1 and "Common Ground administration" in found[0] for found in problems.values()), problems
