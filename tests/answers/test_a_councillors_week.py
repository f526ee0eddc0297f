"""A councillor and a manager get through a week by email and on the site, in Chromium and the mail catcher.

The councillor has no account. She follows a partnership, gets one email a week, and her reply becomes a comment. The
manager chose one summary a day, and reads some of it on the site first.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment, Status
from partnerships.digests import services as digests
from partnerships.digests.emails import rendering, selecting, subjects
from partnerships.digests.services.sweep import plan_round
from partnerships.exchange import services as exchange
from partnerships.kit.dates import long_date
from partnerships.outbox.draining import drain
from partnerships.plans.models import Plan
from tests.commitments.promises import agree, in_days
from tests.exchange.conftest import shared_entry
from tests.support.browser import PATIENCE, WIDE, axe_violations, click_to_next_page, reflows, sign_in
from tests.support.catching import Catcher, catcher, link_in
from tests.support.terms import agree_terms, draft, put_up, sign_all
from tests.world import World, join, person

__all__ = ["catcher"]

pytestmark = pytest.mark.browser

COUNCILLOR = "councillor@ward.example"
MANAGER = "mara@westmarch.example"
PROMISE = "Sixty homes at the old depot"
ASK = "Ten homes for care leavers"
REPLY = "Please tell the residents of Mill Lane first."


@pytest.fixture
def site(live_server: Any, catcher: Catcher, settings: Any) -> Iterator[str]:
    """Return the address of the application, which sends its emails by SMTP to the catcher."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = catcher.smtp_port
    settings.SITE_ORIGIN = live_server.url
    settings.NOTICES_AT_ONCE = False
    clear_caches()
    yield str(live_server.url)
    clear_caches()


def clear_caches() -> None:
    """Clear the caches of digests, which contain records of other tests."""
    selecting.clear_cache()
    subjects.clear_cache()
    rendering.clear_caches()


@pytest.fixture
def partnership(world: World, plan: Plan) -> Partnership:
    """Return a partnership of three parties with signed terms. Mara is an editor of the council."""
    shared_partnership = world.partnership
    party = agreements.invite_organisation(
        partnership=shared_partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.chidi, now=timezone.now())
    agree_terms(shared_partnership, world.amina)
    world.things["mara"] = person("Mara West", MANAGER)
    join(world.things["mara"], world.westmarch, "editor", world.now)
    return shared_partnership


@pytest.fixture
def promise(world: World, partnership: Partnership) -> Commitment:
    """Return a commitment of Larkhaven that digests report to stakeholders."""
    commitment = agree(world, text=PROMISE, quantity=None, unit="", due_on=in_days(30))
    commitments.mark_for_stakeholders(commitment=commitment, tell=True, author=world.ben, now=timezone.now())
    return commitment


@pytest.fixture
def ask(world: World, partnership: Partnership) -> Any:
    """Return Mara's ask, which digests report to stakeholders."""
    entry = shared_entry(
        world.westmarch,
        world.things["mara"],
        timezone.now(),
        title=ASK,
        audience="partnership",
        partnership=partnership,
        quantity=None,
        unit="",
    )
    return exchange.mark_for_stakeholders(entry=entry, tell=True, author=world.ben, now=timezone.now())


def new_window(browser: Browser) -> Page:
    """Open a window that shares no session with the others."""
    page = browser.new_context(viewport=WIDE).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def send_emails(*, in_days: int = 0) -> None:
    """Run the round that plans emails, also for a later day if `in_days` is given, and send what is due."""
    plan_round(now=timezone.now())
    if in_days:
        plan_round(now=timezone.now() + dt.timedelta(days=in_days))
    drain(seconds=120)


def change_due_date(world: World, promise: Commitment, days: int) -> None:
    """Change the due date of the commitment to some days from now."""
    commitments.change_due_date(
        commitment=promise, due_on=in_days(days), reason="Ground works.", author=world.eddie, now=timezone.now()
    )


def meet_ask(world: World, ask: Any, response: Any) -> None:
    """Accept the answer to the ask, and make and deliver the commitment that meets it."""
    now = timezone.now()
    exchange.decide_response(response=response, accept=True, reason="", author=world.things["mara"], now=now)
    commitment = agree(world, text="Ten flats at Mill Lane.", quantity=None, unit="")
    exchange.link_commitment(entry=ask, commitment=commitment, response=response, author=world.ben, now=now)
    commitments.record_progress(commitment=commitment, status=Status.DONE, author=world.eddie, now=now)
    commitments.verify_delivery(commitment=commitment, author=world.ben, now=now)


def amend_terms(world: World) -> None:
    """Make an amendment that all parties sign."""
    proposal = agreements.propose_amendment(
        partnership=world.partnership,
        organisation=world.larkhaven,
        reason="A target.",
        author=world.amina,
        now=timezone.now(),
    )
    sign_all(put_up(draft(proposal, world.amina, purpose="Two hundred homes."), world.amina))


def test_councillor_gets_a_weekly_digest_and_her_reply_becomes_a_comment(
    browser: Browser,
    site: str,
    catcher: Catcher,
    world: World,
    partnership: Partnership,
    plan: Plan,
    promise: Commitment,
    ask: Any,
) -> None:
    ben, mara, councillor, amina = (new_window(browser) for _ in range(4))
    sign_in(ben, site, world.ben.email)
    sign_in(mara, site, MANAGER)
    sign_in(amina, site, world.amina.email)

    ben.goto(f"{site}{reverse('digests:add-stakeholder', args=['partnership', partnership.pk])}")
    add_councillor_as_stakeholder(ben)
    confirm_weekly_digests(councillor, catcher)
    mara.goto(f"{site}{reverse('digests:manage')}")
    choose_one_summary_a_day(mara)
    digests.subscribe(person=world.things["mara"], target=partnership, author=world.things["mara"], now=timezone.now())

    # The manager reads the first changes of the week on the site.
    change_due_date(world, promise, days=60)
    response = exchange.respond(
        entry=ask, organisation=world.larkhaven, text="Ten flats.", author=world.amina, now=timezone.now()
    )
    mara.goto(f"{site}{reverse('digests:inbox')}")
    mara.get_by_role("link", name=ASK).first.click()
    mara.get_by_role("heading", level=1, name=ASK).wait_for()
    mara.goto(f"{site}{reverse('agreements:history', args=[partnership.pk])}")
    mara.get_by_text("Changed the due date").first.wait_for()
    make_further_changes(world, promise, ask, response)

    send_emails(in_days=8)

    weekly_digest, _ = catcher.emails_to(COUNCILLOR)
    check_weekly_digest(weekly_digest, world)
    [summary] = catcher.emails_to(MANAGER)
    check_summary(summary, world)

    councillor.goto(f"{catcher.page}/")
    click_to_next_page(councillor.get_by_role("link", name=weekly_digest["subject"]).first)
    take_screenshot(councillor, "catcher")
    councillor.goto(link_in(weekly_digest["text"], "/digests/read/"))
    expect(councillor.locator("main")).to_contain_text("changed 2 times")
    check_accessibility(councillor)
    take_screenshot(councillor, "weekly-in-the-browser")

    reply_by_email(catcher, weekly_digest)
    confirm_comment(councillor, catcher)

    # The plan's owner approves the comment, and a partner reads it.
    amina.goto(f"{site}{reverse('answers:plan', kwargs={'pk': plan.pk})}")
    amina.get_by_role("button", name="Approve").click()
    amina.get_by_text("No answers are waiting for your decision").wait_for()
    ben.goto(f"{site}{reverse('answers:plan', kwargs={'pk': plan.pk})}")
    expect(ben.locator("main")).to_contain_text(REPLY)


def add_councillor_as_stakeholder(page: Page) -> None:
    """Fill in and send the form that adds a stakeholder."""
    page.get_by_label("Their email address").fill(COUNCILLOR)
    page.get_by_label("Why they get digests").fill("you represent the ward")
    click_to_next_page(page.locator("main").get_by_role("button").last)
    send_emails()


def confirm_weekly_digests(page: Page, catcher: Catcher) -> None:
    """Consent to one digest a week, by the link in the only email to the councillor."""
    [confirmation] = catcher.emails_to(COUNCILLOR)
    page.goto(link_in(confirmation["text"], "/digests/confirm/"))
    page.get_by_label("How often do you want them?").select_option("weekly")
    click_to_next_page(page.get_by_role("button", name="Yes, send me digests"))


def choose_one_summary_a_day(page: Page) -> None:
    """Choose on the page of preferences that everything is sent in one daily summary."""
    page.get_by_label("Daily", exact=True).check()
    for select in page.locator("select[name^=way_]").all():
        select.select_option("summary")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("Your choice has been saved.").wait_for()


def make_further_changes(world: World, promise: Commitment, ask: Any, response: Any) -> None:
    """Make the changes of the week that the manager does not read on the site."""
    exchange.ask_question(
        entry=ask, organisation=world.tidewater, text="Which age?", author=world.chidi, now=timezone.now()
    )
    change_due_date(world, promise, days=90)
    meet_ask(world, ask, response)
    amend_terms(world)
    party = world.partnership.parties.get(organisation=world.tidewater)
    agreements.leave_partnership(party=party, reason="A merger.", author=world.chidi, now=timezone.now())


def texts_of_both_parts(email: Any) -> list[str]:
    """Return the text part and the text of the HTML part, each on one line."""
    return [" ".join(part.split()) for part in (email["text"], plain(email["html"]))]


def check_weekly_digest(email: Any, world: World) -> None:
    """Check that the digest has every change once, without the reason that is not for stakeholders."""
    dates = f"was {long_date(in_days(30))}, now {long_date(in_days(90))}"
    for text in texts_of_both_parts(email):
        assert f"{PROMISE}: changed the due date: {dates}, changed 2 times" in text
        assert f"{ASK}: the ask is met" in text
        assert "Every party signed the terms" in text
        assert f"Left this partnership: {world.tidewater.name}" in text
        assert "Ground works" not in text


def check_summary(email: Any, world: World) -> None:
    """Check that the summary has only what the manager has not read on the site."""
    assert "Since your last summary" in email["text"]
    for text in texts_of_both_parts(email):
        assert f"{world.tidewater.name} has asked a question about your ask: {ASK}" in text
        assert f"was {long_date(in_days(60))}, now {long_date(in_days(90))}" in text
        assert f"was {long_date(in_days(30))}" not in text
        assert f"{world.larkhaven.name} has answered your ask" not in text


def check_accessibility(page: Page) -> None:
    """Check the page with axe, and that it reflows on a narrow screen."""
    assert axe_violations(page) == []
    assert reflows(page)


def reply_by_email(catcher: Catcher, email: Any) -> None:
    """Let the mailbox receive the councillor's reply, and read the mailbox."""
    [address] = email["headers"]["Reply-To"]
    catcher.take(reply_to(address, email["subject"]))
    output = StringIO()
    call_command("digests", "bounces", str(catcher.folder), stdout=output)
    assert "1 reply" in output.getvalue()
    send_emails()


def confirm_comment(page: Page, catcher: Catcher) -> None:
    """Confirm the reply as a comment, by the link in the newest email to the councillor."""
    request = catcher.emails_to(COUNCILLOR)[0]
    page.goto(link_in(request["text"], "/answers/replies/"))
    expect(page.locator("main")).to_contain_text(REPLY)
    take_screenshot(page, "confirm")
    check_accessibility(page)
    page.get_by_role("button", name="Confirm comment").click()
    page.get_by_role("heading", name="Your comment has been sent").wait_for()


def plain(html: str) -> str:
    """Return the text of an HTML part."""
    without_styles = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "", without_styles))


def reply_to(address: str, subject: str) -> EmailMessage:
    """Return the councillor's reply, with the quotation that her email app adds."""
    message = EmailMessage()
    message["From"] = COUNCILLOR
    message["To"] = address
    message["Subject"] = f"Re: {subject}"
    message["Message-ID"] = "<a-reply@ward.example>"
    message.set_content(f"{REPLY}\n\nOn Fri, 27 Nov 2026 at 08:00, Common Ground wrote:\n\n> ask met\n")
    return message


def take_screenshot(page: Page, name: str) -> None:
    """Save a picture of the page, if the environment names a folder in `LOOK`."""
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
