"""Take the README's pictures: `make screenshots`, beside `make run`.

If no digest has gone out yet, it publishes the version that the README's tour describes and waits for the email.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import django
from playwright.sync_api import Browser, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from housing import environment

FOLDER = Path(__file__).resolve().parent / "images"
PASSWORD = os.environ.get("DEMO_PASSWORD", "a-quiet-estuary-morning")
AMINA, BEN = "amina@larkhaven.example", "ben@westmarch.example"
#: File name, who signs in, the first page, and the links to follow from there.
PICTURES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("home.png", AMINA, "/", ()),
    ("partnership.png", AMINA, "/partnerships/", ("Estuary Homes Partnership",)),
    ("ask-and-offer.png", AMINA, "/ask-and-offer/", ()),
    ("comparison.png", BEN, "/plans/", ("Estuary delivery programme", "What changed")),
)
#: A desktop screen.
SIZE: ViewportSize = {"width": 1280, "height": 900}
MAIL_PAGE = os.environ.get("MAIL_PAGE", "http://localhost:8025")


def _pictures(browser: Browser, origin: str) -> None:
    from tests.support.browser import sign_in

    for name, email, address, links in PICTURES:
        context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
        page = context.new_page()
        sign_in(page, origin, email, PASSWORD)
        page.goto(f"{origin}{address}")
        for words in links:
            page.get_by_role("main").get_by_role("link", name=words, exact=True).first.click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(FOLDER / name), full_page=False)
        print(f"  {name}")
        context.close()


def _publish(browser: Browser, origin: str) -> None:
    """Publish what the tour does: one-bedroom homes at Mill Lane depot from 30 to 20."""
    from tests.support.browser import sign_in

    page = browser.new_page(viewport=SIZE)
    sign_in(page, origin, AMINA, PASSWORD)
    page.goto(f"{origin}/plans/")
    main = page.get_by_role("main")
    for words in ("Estuary delivery programme", "Draft", "Mill Lane depot"):
        main.get_by_role("link", name=words, exact=True).first.click()
    page.get_by_label("Homes, 2028-29, row 1").fill("20")
    page.get_by_role("button", name="Save to the draft").click()
    page.get_by_role("link", name="Publish draft").click()
    page.get_by_label("What changed, and why?").fill("Fewer homes: the depot keeps its yard.")
    page.get_by_role("button", name=re.compile("Publish version")).click()
    page.close()


def _digest(browser: Browser, *, minutes: float) -> bool:
    """Picture the newest digest in the mail catcher. False if none came within the minutes given."""
    page = browser.new_page(viewport=SIZE)
    until = time.monotonic() + 60 * minutes
    while True:
        page.goto(MAIL_PAGE)
        digests = page.get_by_role("link", name=re.compile("change"))
        if digests.count():
            break
        if time.monotonic() > until:
            return False
        time.sleep(5)
    page.goto(f"{MAIL_PAGE}{digests.first.get_attribute('href')}/html")
    page.screenshot(path=str(FOLDER / "digest.png"))
    print("  digest.png")
    return True


def main() -> int:
    """Take every picture. Returns 1, and says what to do, without an instance or Chromium."""
    environment.load(os.environ)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    django.setup()  # signing in comes from the tests, which import models
    from tests.support.browser import chromium_path

    origin = os.environ.get("SITE_ORIGIN", "http://localhost:8000")
    chromium = chromium_path()
    if chromium is None:
        print("No Chromium here: install Debian's package chromium.", file=sys.stderr)
        return 1
    try:
        urlopen(f"{origin}/health/live/", timeout=10).close()
    except OSError:
        print(f"Nothing answers at {origin}: start `make run` first, or say where in SITE_ORIGIN.", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = _digest(browser, minutes=0)
        if not found:
            print("  Publishing a version; its digest comes when the plan has settled …")
            _publish(browser, origin)
            found = _digest(browser, minutes=15)
        _pictures(browser, origin)
        browser.close()
    if not found:
        print(f"No digest came to {MAIL_PAGE}: check that worker and beat run.", file=sys.stderr)
        return 1
    print(f"{len(PICTURES) + 1} pictures in {FOLDER.name}/ from {origin}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
