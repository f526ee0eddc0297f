"""Make the README's pictures from a started instance: `make screenshots` beside `make run`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from housing import environment
from tests.browser import WIDE, chromium_path

FOLDER = Path(__file__).resolve().parent / "images"
PASSWORD = os.environ.get("DEMO_PASSWORD", "a-quiet-estuary-morning")
AMINA, BEN = "amina@larkhaven.example", "ben@westmarch.example"
#: File name, who looks, where the way begins, the links that lead on from there, and the width.
PICTURES: tuple[tuple[str, str, str, tuple[str, ...], ViewportSize], ...] = (
    ("home.png", AMINA, "/", (), WIDE),
    ("partnership.png", AMINA, "/partnerships/", ("Estuary Homes Partnership",), WIDE),
    ("ask-and-offer.png", AMINA, "/ask-and-offer/", (), WIDE),
    ("comparison.png", BEN, "/plans/", ("Estuary delivery programme", "What changed"), WIDE),
)
MAIL_PAGE = os.environ.get("MAIL_PAGE", "http://localhost:8025")


def _sign_in(page: Page, origin: str, email: str) -> None:
    page.goto(f"{origin}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{origin}/")


def _pictures(browser: Browser, origin: str) -> None:
    for name, email, address, links, size in PICTURES:
        context = browser.new_context(viewport=size, reduced_motion="reduce")
        page = context.new_page()
        _sign_in(page, origin, email)
        page.goto(f"{origin}{address}")
        for words in links:
            page.get_by_role("main").get_by_role("link", name=words, exact=True).first.click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(FOLDER / name), full_page=False)
        print(f"  {name}")
        context.close()


def _letter(browser: Browser) -> bool:
    """The newest digest in the mail catcher; whether there was one."""
    page = browser.new_page(viewport=WIDE)
    page.goto(MAIL_PAGE)
    digests = page.get_by_role("link", name=re.compile("change"))
    if not digests.count():
        return False
    page.goto(f"{MAIL_PAGE}{digests.first.get_attribute('href')}/html")
    page.screenshot(path=str(FOLDER / "letter.png"))
    print("  letter.png")
    return True


def main() -> int:
    """Take every picture; exits 1 with a remedy where no instance runs or no Chromium is to be had."""
    environment.load(os.environ)
    origin = os.environ.get("SITE_ORIGIN", "http://localhost:8000")
    chromium = chromium_path()
    if chromium is None:
        print("No Chromium here: install Debian's package chromium.", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _pictures(browser, origin)
        letter = _letter(browser)
        browser.close()
    if not letter:
        print(f"No digest at {MAIL_PAGE} yet: publish a version, wait for the letter, and try again.", file=sys.stderr)
        return 1
    print(f"{len(PICTURES) + 1} pictures in {FOLDER.name}/ from {origin}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
