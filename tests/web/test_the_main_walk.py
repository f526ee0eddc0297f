"""An ask leads to a plan, a digest and a one-click unsubscribe in a real browser, on the demonstration network.

It starts with an ask between two partners. It ends with a stakeholder who reads a digest (“was 120, now 100”)
and unsubscribes.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from partnerships.digests.emails import rendering, selecting
from tests.support.browser import PATIENCE, WIDE, click_to_next_page, sign_in
from tests.support.catching import Catcher, catcher, link_in, send_emails
from tests.world import load_demonstration

__all__ = ["catcher"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

STAKEHOLDER = "tenant.panel@estuary.example"


@pytest.fixture
def site(live_server: Any, catcher: Catcher, settings: Any, transactional_db: None) -> Iterator[str]:
    """Return the address of the application with the demonstration network. The application sends emails by SMTP."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = catcher.smtp_port
    settings.SITE_ORIGIN = live_server.url
    settings.DIGEST_SETTLE_MINUTES = 0
    settings.DEMONSTRATION = True
    selecting.clear_cache()
    rendering.clear_caches()
    load_demonstration()
    yield str(live_server.url)
    selecting.clear_cache()
    rendering.clear_caches()


def as_person(browser: Browser, site: str, email: str) -> Page:
    """Return a separate browser window, signed in as a person."""
    page = browser.new_context(viewport=WIDE).new_page()
    page.set_default_timeout(PATIENCE)
    sign_in(page, site, email)
    return page


def follow(page: Page, menu: str, *names: str) -> None:
    """Open a menu item, if one is given, then follow links by their names."""
    if menu:
        click_to_next_page(page.get_by_role("navigation", name="Menu").get_by_role("link", name=menu, exact=True))
    for name in names:
        click_to_next_page(page.get_by_role("main").get_by_role("link", name=name, exact=True).first)


def publish(page: Page, note: str) -> None:
    """Publish the draft with a note, and confirm the sections that still have the text of the template."""
    page.get_by_role("link", name="Publish draft").click()
    page.get_by_role("heading", level=1, name=re.compile("Publish")).wait_for()
    for keep_button in page.get_by_label("Keep it", exact=True).all():
        keep_button.check()
    page.get_by_label("What changed, and why?").fill(note)
    click_to_next_page(page.get_by_role("button", name=re.compile("Publish version")))


def save_homes(page: Page, count: int) -> None:
    """Set the number of homes at the only site of the draft, and save."""
    page.get_by_label("Homes, year not given, row 1").fill(str(count))
    click_to_next_page(page.get_by_role("button", name="Save to the draft"))


def test_ask_leads_to_a_digest_of_changes_and_one_click_unsubscribes(
    browser: Browser, site: str, catcher: Catcher
) -> None:
    amina = as_person(browser, site, "amina@larkhaven.example")
    ben = as_person(browser, site, "ben@westmarch.example")
    visitor = browser.new_context(viewport=WIDE).new_page()
    visitor.set_default_timeout(PATIENCE)

    post_ask(amina)
    answer_ask(ben)
    amina.reload()
    expect(amina.locator("main")).to_contain_text("Ours is free from January.")

    draft_plan(amina)
    plan_url = re.sub(r"(/plans/\d+/).*", r"\1", amina.url)
    publish(amina, "First version, for comment.")
    add_section(ben)
    publish(ben, "The access is agreed.")
    expect(ben.locator("main")).to_contain_text("Version 2")

    amina.goto(f"{site}/digests/stakeholders/add/plan/{plan_url.split('/')[-2]}/")
    add_stakeholder(amina)
    [invitation] = catcher.emails_to(STAKEHOLDER)
    visitor.goto(link_in(invitation["text"], "/digests/confirm/"))
    click_to_next_page(visitor.get_by_role("button", name="Yes, send me digests"))

    amina.goto(f"{plan_url}draft/")
    change_homes(amina, 100, "The ground is too wet for block C.")
    digest, _ = catcher.emails_to(STAKEHOLDER)
    check_digest(digest)
    visitor.goto(f"{catcher.page}/")
    visitor.get_by_role("link", name=digest["subject"]).first.click()
    expect(visitor.locator("pre").first).to_contain_text("was 120, now 100")
    visitor.goto(link_in(digest["text"], "/digests/read/"))
    expect(visitor.locator("main")).to_contain_text("Old slipway")

    unsubscribe_with_one_click(digest)
    amina.goto(f"{plan_url}draft/")
    change_homes(amina, 90, "Block C moves to the second phase.")
    assert len(catcher.emails_to(STAKEHOLDER)) == 2


def post_ask(page: Page) -> None:
    """Post an ask to the partnership."""
    follow(page, "Partnerships", "Estuary Homes Partnership", "Ask and offer", "Add an ask or offer")
    page.get_by_label("Ask", exact=True).check()
    page.get_by_label("Title").fill("A surveyor for the ferry yard")
    page.get_by_label("Theme").select_option("land")
    click_to_next_page(page.get_by_role("button", name="Share ask or offer"))


def answer_ask(page: Page) -> None:
    """Answer the ask as its other side."""
    follow(page, "Partnerships", "Estuary Homes Partnership", "Ask and offer")
    follow(page, "", "A surveyor for the ferry yard", "Answer this ask")
    page.get_by_label("What can you offer?").fill("Ours is free from January.")
    click_to_next_page(page.get_by_role("button", name="Send answer"))


def draft_plan(page: Page) -> None:
    """Start a plan of the partnership, with 120 homes at one site."""
    follow(page, "Plans", "Start a plan")
    page.get_by_label("Title").fill("Ferry yard")
    page.get_by_label("Delivery programme").check()
    page.get_by_label("Partnership (optional)").select_option(label="Estuary Homes Partnership")
    page.get_by_label(re.compile("other members own the plan too")).check()
    click_to_next_page(page.get_by_role("button", name="Create draft"))
    follow(page, "", "Add a site")
    page.get_by_label("Name", exact=True).fill("Old slipway")
    save_homes(page, 120)


def add_section(page: Page) -> None:
    """Add a section of text to the draft."""
    follow(page, "Plans", "Ferry yard", "Draft", "Add a section")
    page.get_by_label("Title", exact=True).fill("Access from the quay")
    page.get_by_label("Text").fill("The council widens Ferry Lane first.")
    click_to_next_page(page.get_by_role("button", name="Save to the draft"))


def add_stakeholder(page: Page) -> None:
    """Add somebody without an account, who is then asked for consent by email."""
    page.get_by_label("Their email address").fill(STAKEHOLDER)
    page.get_by_label("Why they get digests").fill("you chair the tenant panel")
    click_to_next_page(page.get_by_role("button", name=re.compile("Ask|Add|Send")).last)
    send_emails()


def change_homes(page: Page, count: int, note: str) -> None:
    """Change the number of homes in the draft, publish, and send the emails about the new version."""
    follow(page, "", "Old slipway")
    save_homes(page, count)
    publish(page, note)
    send_emails()


def check_digest(email: Any) -> None:
    """Check that both parts of the digest say who changed what, and why."""
    text_of_html = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", email["html"]))
    for text in (email["text"], text_of_html):
        assert "was 120, now 100" in text
        assert "Amina Larch" in text
        assert "The ground is too wet for block C." in text


def unsubscribe_with_one_click(email: Any) -> None:
    """Send what an email app sends when its reader presses the app's own button to unsubscribe."""
    assert email["headers"]["List-Unsubscribe-Post"] == ["List-Unsubscribe=One-Click"]
    [header] = email["headers"]["List-Unsubscribe"]
    address = re.search(r"<(http[^>]+)>", header)
    assert address is not None
    with urllib.request.urlopen(address[1], data=b"List-Unsubscribe=One-Click", timeout=30) as response:
        assert response.status == 200
