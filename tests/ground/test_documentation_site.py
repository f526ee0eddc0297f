"""The documentation works as a site, with its side list, its policy, and its look and search in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.support.browser import NARROW, WIDE, axe_violations, reflows
from tools import documentation

ROOT = Path(settings.BASE_DIR)
#: Pages for people who use the site. Bold words in these pages are words that people see on the site.
FOR_USERS = [*sorted(ROOT.glob("docs/tutorials/*.md")), ROOT / "docs" / "how-to" / "everyday-tasks.md"]
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


def words_of_pages() -> str:
    """Return the text of all templates and of the code that names buttons, fields and statuses."""
    files = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("partnerships/**/*.py")]
    text = " ".join(file.read_text(encoding="utf-8") for file in files)
    # Long texts are several strings in code, which are joined here.
    return " ".join(re.sub(r'"\s+f?"', "", text).split())


def test_the_site_has_all_words_that_pages_for_users_show_in_bold() -> None:
    words_by_page = words_of_pages()
    missing = {
        (page.name, " ".join(shown.split()))
        for page in FOR_USERS
        for shown in _BOLD.findall(page.read_text(encoding="utf-8"))
        if " ".join(shown.split()) not in words_by_page
    }

    assert missing == set()


def test_pages_of_the_documentation_have_a_policy_and_nothing_else_is_changed(
    client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    page = tmp_path / "docs" / "plans" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<h1>Plans</h1>")
    (tmp_path / "robots.txt").write_text("User-agent: *")
    settings.WHITENOISE_ROOT = str(tmp_path)

    response = client.get("/docs/plans/")

    assert response.status_code == 200
    assert b"".join(response.streaming_content) == b"<h1>Plans</h1>"
    assert "script-src 'self'; style-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert client.get("/docs/plans").status_code == 302
    assert not client.get("/robots.txt").has_header("Content-Security-Policy")


@pytest.fixture
def address(transactional_db: None, settings: LazySettings) -> Iterator[str]:
    """Provide the address of a server with the documentation. It looks for files only when it starts."""
    # This takes ten seconds unless `make check` has built the documentation.
    assert documentation.build()
    settings.WHITENOISE_ROOT = str(documentation.SITE)
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_site_reads_and_searches_under_its_policy_at_every_width(page: Page, address: str) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    for path in ("/docs/", "/docs/deploy/", "/docs/decisions/0131-backups-are-encrypted-with-age/"):
        page.set_viewport_size(WIDE)
        response = page.goto(f"{address}{path}")
        assert response is not None
        assert response.status == 200, path
        assert axe_violations(page) == [], path
        page.set_viewport_size(NARROW)
        assert reflows(page), path
        assert axe_violations(page, is_narrowed=True) == [], path
    page.get_by_role("searchbox", name="Search the documentation").fill("retention")
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("main").get_by_role("link", name=re.compile("Personal data")).first.wait_for()
    assert axe_violations(page) == []
    page.get_by_role("main").get_by_role("link", name=re.compile("Personal data")).first.click()
    page.wait_for_url("**/docs/privacy/**")

    assert errors == []
