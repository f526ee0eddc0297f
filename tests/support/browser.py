"""A real Chromium for the tests that need eyes and hands: signing in by the form, and axe's verdict on a page."""

from __future__ import annotations

import shutil
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ViewportSize

from tests.world import PASSWORD

#: The two widths at which every page must hold (docs/ui.md): a small phone and a desk.
NARROW: ViewportSize = {"width": 320, "height": 900}
WIDE: ViewportSize = {"width": 1280, "height": 900}

#: WCAG 2.2 A and AA, as axe names them.
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

#: axe's rules that look at where things are and how large, and at what a narrow page hides; colours stay the same.
_OF_WIDTH = ["aria-hidden-focus", "scrollable-region-focusable", "target-size"]


def chromium_path() -> str | None:
    """Debian's Chromium, or another on the path; None where there is none."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


def sign_in(page: Any, origin: str, email: str, password: str = PASSWORD) -> None:
    """Sign in as a person does, and end on the home page."""
    page.goto(f"{origin}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{origin}/")


def axe_violations(page: Any, *, is_letter: bool = False, is_narrowed: bool = False) -> list[str]:
    """What axe finds wrong with the page as it stands, each with its rule and the first element; empty when nothing.

    A letter is held to WCAG alone: landmarks, which axe recommends, are for pages, and mail programs take them out.
    A page that was tried at another width is tried again by the rules whose answer depends on the width.
    """
    rules = {"type": "tag", "values": _WCAG if is_letter else [*_WCAG, "best-practice"]}
    if is_narrowed:
        rules = {"type": "rule", "values": _OF_WIDTH}
    found = Axe().run(page, options={"runOnly": rules}).response["violations"]
    return [f"{item['id']}: {item['help']} ({item['nodes'][0]['html'][:160]})" for item in found]


def reflows(page: Any) -> bool:
    """Whether the page needs no sideways scrolling at its width (WCAG 1.4.10)."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
