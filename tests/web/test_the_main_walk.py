"""The main user journey in a real browser, on the demonstration network.

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
from tests.support.browser import PATIENCE, WIDE, sign_in
from tests.support.catching import Catcher, catcher, link_in, send_emails
from tests.world import load_demonstration

__all__ = ["catcher"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def site(live_server: Any, catcher: Catcher, settings: Any, transactional_db: None) -> Iterator[str]:
    """The address of the application with the demonstration network. The application sends emails by SMTP."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", catcher.smtp_port
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
        page.get_by_role("navigation", name="Menu").get_by_role("link", name=menu, exact=True).click()
    for name in names:
        page.get_by_role("main").get_by_role("link", name=name, exact=True).first.click()


def publish(page: Page, note: str) -> None:
    """Publish the draft with a note, and confirm the sections that still have the text of the template."""
    page.get_by_role("link", name="Publish draft").click()
    page.get_by_role("heading", level=1, name=re.compile("Publish")).wait_for()
    for keep_button in page.get_by_label("Keep it", exact=True).all():
        keep_button.check()
    page.get_by_label("What changed, and why?").fill(note)
    page.get_by_role("button", name=re.compile("Publish version")).click()


def homes(page: Page, count: int) -> None:
    """Set the number of homes at the only site of the draft, and save."""
    page.get_by_label("Homes, year not given, row 1").fill(str(count))
    page.get_by_role("button", name="Save to the draft").click()


def test_ask_leads_to_a_digest_of_changes_and_one_click_unsubscribes(
    browser: Browser, site: str, catcher: Catcher
) -> None:
    amina = as_person(browser, site, "amina@larkhaven.example")
    ben = as_person(browser, site, "ben@westmarch.example")
    stakeholder = "tenant.panel@estuary.example"

    # The first posts an ask to the partnership; the second answers it.
    follow(amina, "Partnerships", "Estuary Homes Partnership", "Ask and offer", "Add an ask or an offer")
    amina.get_by_label("Ask", exact=True).check()
    amina.get_by_label("Title").fill("A surveyor for the ferry yard")
    amina.get_by_label("Theme").select_option("land")
    amina.get_by_role("button", name="Share ask or offer").click()
    follow(ben, "Partnerships", "Estuary Homes Partnership", "Ask and offer")
    follow(ben, "", "A surveyor for the ferry yard", "Answer this ask")
    ben.get_by_label("What can you offer?").fill("Ours is free from January.")
    ben.get_by_role("button", name="Send answer").click()
    amina.reload()
    expect(amina.locator("main")).to_contain_text("Ours is free from January.")

    follow(amina, "Plans", "Start a plan")
    amina.get_by_label("Title").fill("Ferry yard")
    amina.get_by_label("Delivery programme").check()
    amina.get_by_label("Partnership (optional)").select_option(label="Estuary Homes Partnership")
    amina.get_by_label(re.compile("other members own the plan too")).check()
    amina.get_by_role("button", name="Create draft").click()
    follow(amina, "", "Add a site")
    amina.get_by_label("Name", exact=True).fill("Old slipway")
    homes(amina, 120)
    plan = re.search(r"/plans/(\d+)/", amina.url)
    assert plan is not None
    publish(amina, "First version, for comment.")
    follow(ben, "Plans", "Ferry yard", "Draft", "Add a section")
    ben.get_by_label("Title", exact=True).fill("Access from the quay")
    ben.get_by_label("Text").fill("The council widens Ferry Lane first.")
    ben.get_by_role("button", name="Save to the draft").click()
    publish(ben, "The access is agreed.")
    expect(ben.locator("main")).to_contain_text("Version 2")

    # A stakeholder without an account is asked, and confirms from the email.
    amina.goto(f"{site}/digests/stakeholders/add/plan/{plan[1]}/")
    amina.get_by_label("Their email address").fill(stakeholder)
    amina.get_by_label("Why they get digests").fill("you chair the tenant panel")
    amina.get_by_role("button", name=re.compile("Ask|Add|Send")).last.click()
    send_emails()
    [invitation] = catcher.emails_to(stakeholder)
    visitor = browser.new_context(viewport=WIDE).new_page()
    visitor.set_default_timeout(PATIENCE)
    visitor.goto(link_in(invitation["text"], "/digests/confirm/"))
    visitor.get_by_role("button", name="Yes, send me digests").click()

    # The digest says that 120 became 100.
    amina.goto(f"{site}/plans/{plan[1]}/draft/")
    follow(amina, "", "Old slipway")
    homes(amina, 100)
    publish(amina, "The ground is too wet for block C.")
    send_emails()
    emails = catcher.emails_to(stakeholder)
    assert len(emails) == 2
    email = emails[0]
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", email["html"]))
    for words in (email["text"], plain):
        assert re.search("was 120, now 100", words)
        assert "Amina Larch" in words
        assert "The ground is too wet for block C." in words
    visitor.goto(f"{catcher.page}/")
    visitor.get_by_role("link", name=email["subject"]).first.click()
    expect(visitor.locator("pre").first).to_contain_text("was 120, now 100")
    visitor.goto(link_in(email["text"], "/digests/read/"))
    expect(visitor.locator("main")).to_contain_text("Old slipway")

    [one_click] = email["headers"]["List-Unsubscribe"]
    assert email["headers"]["List-Unsubscribe-Post"] == ["List-Unsubscribe=One-Click"]
    address = re.search(r"<(http[^>]+)>", one_click)
    assert address is not None
    with urllib.request.urlopen(address[1], data=b"List-Unsubscribe=One-Click", timeout=30) as answer:
        assert answer.status == 200
    amina.goto(f"{site}/plans/{plan[1]}/draft/")
    follow(amina, "", "Old slipway")
    homes(amina, 90)
    publish(amina, "Block C moves to the second phase.")
    send_emails()
    assert len(catcher.emails_to(stakeholder)) == 2
