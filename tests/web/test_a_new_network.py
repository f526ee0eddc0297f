"""An empty instance becomes a network with a first partnership, in a real browser and without documents."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from partnerships.agreements.models import Partnership
from tests.support.browser import PATIENCE, WIDE, click_to_next_page
from tests.support.catching import Catcher, catcher, send_emails

__all__ = ["catcher"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

#: The time that a person may need, in seconds. The browser needs a fraction of this.
TEN_MINUTES = 600


@pytest.fixture
def site(live_server: Any, catcher: Catcher, settings: Any, transactional_db: None) -> Iterator[str]:
    """Return the address of a site as `DEMONSTRATION=0 make run` starts it, with the register and without people."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = catcher.smtp_port
    settings.SITE_ORIGIN = live_server.url
    settings.DEMONSTRATION = False
    call_command("load_directory", stdout=StringIO())
    return str(live_server.url)


def window(browser: Browser) -> Page:
    """Return a page of a new browser window, with its own session."""
    page = browser.new_context(viewport=WIDE).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def invitation_to(address: str, catcher: Catcher) -> str:
    """Return the link in the newest email to an address."""
    send_emails()
    match = re.search(r"http\S+/organisations/invitations/[^/\s]+/", str(catcher.emails_to(address)[0]))
    assert match is not None
    return match[0]


def test_a_person_has_a_partnership_ten_minutes_after_nothing(browser: Browser, site: str, catcher: Catcher) -> None:
    started_at = time.monotonic()
    administrator = window(browser)
    lead = window(browser)

    create_first_administrator(administrator)
    expect(administrator.locator("main")).to_contain_text("Set up Common Ground")
    organisation_name = invite_first_lead(administrator)
    expect(administrator.locator("main")).to_contain_text("We will email dee@hastoe.example an invitation.")

    lead.goto(invitation_to("dee@hastoe.example", catcher))
    accept_invitation(lead)
    expect(lead.locator("main")).to_contain_text(f"First steps for {organisation_name}")
    invite_colleague(lead)
    lead.goto(f"{site}/")
    start_first_partnership(lead)
    invite_first_partner(lead)
    expect(lead.locator("body")).to_contain_text("it has no lead here yet")
    lead.goto(f"{site}/first-steps/")
    expect(lead.locator("main")).to_contain_text("3 of 5 done")

    partnership = Partnership.objects.get()
    assert partnership.title == "Rural homes"
    assert partnership.parties.count() == 2
    assert time.monotonic() - started_at < TEN_MINUTES


def create_first_administrator(page: Page) -> None:
    """Open the link that `make run` prints, and create the account."""
    command_output = StringIO()
    call_command("first_administrator", stdout=command_output)
    page.goto(command_output.getvalue().strip())
    page.get_by_label("Your name").fill("Dee Network")
    page.get_by_label("Email address for administration").fill("admin@network.example")
    page.get_by_label("Choose a password").fill("three quiet words here")
    page.get_by_role("button", name="Create account").click()


def invite_first_lead(page: Page) -> str:
    """Find the administrator's own organisation in the register, invite its lead, and return its name."""
    page.get_by_role("link", name="Invite your organisation’s first lead").click()
    page.get_by_label("Name or number").fill("Hastoe")
    page.keyboard.press("Enter")
    click_to_next_page(page.get_by_role("link", name="Hastoe Housing Association Limited"))
    name = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Invite first lead").click()
    page.get_by_label("Work email address").fill("dee@hastoe.example")
    expect(page.get_by_label(re.compile("^Lead"))).to_be_checked()
    page.get_by_label("Why are you").fill("The first lead.")
    page.get_by_role("button", name="Send invitation").click()
    return name


def accept_invitation(page: Page) -> None:
    """Create the lead's account on the page of the invitation."""
    page.get_by_label("Your name").fill("Dee Hastoe")
    page.get_by_label("Choose a password").fill("other quiet words here")
    page.get_by_role("button", name="Accept invitation").click()


def invite_colleague(page: Page) -> None:
    """Invite a colleague, as one of the first steps."""
    page.get_by_role("link", name="Invite your colleagues").click()
    page.get_by_label("Work email address").fill("colleague@hastoe.example")
    click_to_next_page(page.get_by_role("button", name="Send invitation"))


def start_first_partnership(page: Page) -> None:
    """Start a partnership from the home page."""
    page.get_by_role("link", name="Start your first partnership").click()
    page.get_by_role("textbox", name="Title").fill("Rural homes")
    page.get_by_role("button", name="Start partnership").click()


def invite_first_partner(page: Page) -> None:
    """Invite an organisation to the partnership."""
    page.get_by_role("link", name="Invite an organisation").click()
    page.get_by_label("Find the organisation").fill("Uttlesford")
    page.locator("main").get_by_role("button", name="Search").click()
    page.get_by_label(re.compile("^Uttlesford")).check()
    page.get_by_label("Reason").fill("We build in its villages.")
    page.get_by_role("button", name="Invite organisation").click()
