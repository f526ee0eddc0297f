"""A week of a councillor and a manager, in Chromium and the mail catcher.

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
from tests.exchange.conftest import shared
from tests.support.browser import PATIENCE, WIDE, axe_violations, reflows, sign_in
from tests.support.catching import Catcher, catcher, link_in
from tests.support.terms import agree_terms, draft, put_up, sign_all
from tests.world import World, join, person

__all__ = ["catcher"]

pytestmark = pytest.mark.browser

COUNCILLOR, MANAGER = "councillor@ward.example", "mara@westmarch.example"
PROMISE, ASK = "Sixty homes at the old depot", "Ten homes for care leavers"
REPLY = "Please tell the residents of Mill Lane first."


@pytest.fixture
def site(live_server: Any, catcher: Catcher, settings: Any) -> Iterator[str]:
    """The application, sending by SMTP to the catcher."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", catcher.smtp_port
    settings.SITE_ORIGIN = live_server.url
    settings.NOTICES_AT_ONCE = False
    caches = (selecting.clear_cache, subjects.clear_cache, rendering.clear_caches)
    for clear in caches:
        clear()
    yield str(live_server.url)
    for clear in caches:
        clear()


@pytest.fixture
def partnership(world: World, plan: Plan) -> Partnership:
    """Three parties with signed terms, and Mara of the council."""
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
    """A commitment of Larkhaven that digests report to stakeholders."""
    commitment = agree(world, text=PROMISE, quantity=None, unit="", due_on=in_days(30))
    commitments.tell_stakeholders(commitment=commitment, tell=True, author=world.ben, now=timezone.now())
    return commitment


@pytest.fixture
def ask(world: World, partnership: Partnership) -> Any:
    """Mara's ask, which digests report to stakeholders."""
    values = {"title": ASK, "audience": "partnership", "partnership": partnership, "quantity": None, "unit": ""}
    entry = shared(world.westmarch, world.things["mara"], timezone.now(), **values)
    return exchange.tell_stakeholders(entry=entry, tell=True, author=world.ben, now=timezone.now())


def window(browser: Browser) -> Page:
    page = browser.new_context(viewport=WIDE).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def send_emails(*, in_days: int = 0) -> None:
    """Run the round that plans emails, also for a later day if `in_days` is given, and send what is due."""
    plan_round(now=timezone.now())
    if in_days:
        plan_round(now=timezone.now() + dt.timedelta(days=in_days))
    drain(seconds=120)


def slip(world: World, promise: Commitment, days: int) -> None:
    commitments.change_due_date(
        commitment=promise, due_on=in_days(days), reason="Ground works.", author=world.eddie, now=timezone.now()
    )


def meet(world: World, ask: Any, response: Any) -> None:
    """Accept the answer to the ask, and make and deliver the commitment that meets it."""
    now = timezone.now()
    exchange.decide_response(response=response, accept=True, reason="", author=world.things["mara"], now=now)
    commitment = agree(world, text="Ten flats at Mill Lane.", quantity=None, unit="")
    exchange.link_commitment(entry=ask, commitment=commitment, response=response, author=world.ben, now=now)
    commitments.record_progress(commitment=commitment, status=Status.DONE, author=world.eddie, now=now)
    commitments.verify_delivery(commitment=commitment, author=world.ben, now=now)


def amend(world: World) -> None:
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
    ben, mara, councillor, amina = (window(browser) for _ in range(4))

    # The council's lead adds her; she says yes by the link in the email, once a week.
    sign_in(ben, site, world.ben.email)
    ben.goto(f"{site}{reverse('digests:add-stakeholder', args=['partnership', partnership.pk])}")
    ben.get_by_label("Their email address").fill(COUNCILLOR)
    ben.get_by_label("Why they get digests").fill("you represent the ward")
    ben.locator("main").get_by_role("button").last.click()
    send_emails()
    [confirmation] = catcher.emails_to(COUNCILLOR)
    councillor.goto(link_in(confirmation["text"], "/digests/confirm/"))
    councillor.get_by_label("How often do you want them?").select_option("weekly")
    councillor.get_by_role("button", name="Yes, send me digests").click()
    councillor.get_by_role("heading", level=1).wait_for()

    # The manager chooses one summary a day, and follows the partnership.
    sign_in(mara, site, MANAGER)
    mara.goto(f"{site}{reverse('digests:manage')}")
    mara.get_by_label("Daily", exact=True).check()
    for choice in mara.locator("select[name^=way_]").all():
        choice.select_option("summary")
    mara.get_by_role("button", name="Save").first.click()
    mara.get_by_text("Your choice has been saved.").wait_for()
    digests.subscribe(person=world.things["mara"], target=partnership, author=world.things["mara"], now=timezone.now())

    # A week of changes. The manager reads the first of them on the site.
    slip(world, promise, 60)
    response = exchange.respond(
        entry=ask, organisation=world.larkhaven, text="Ten flats.", author=world.amina, now=timezone.now()
    )
    mara.goto(f"{site}{reverse('digests:inbox')}")
    mara.get_by_role("link", name=ASK).first.click()
    mara.get_by_role("heading", level=1, name=ASK).wait_for()
    mara.goto(f"{site}{reverse('agreements:history', args=[partnership.pk])}")
    mara.get_by_text("Changed the due date").first.wait_for()
    exchange.ask_question(
        entry=ask, organisation=world.tidewater, text="Which age?", author=world.chidi, now=timezone.now()
    )
    slip(world, promise, 90)
    meet(world, ask, response)
    amend(world)
    party = partnership.parties.get(organisation=world.tidewater)
    agreements.leave_partnership(party=party, reason="A merger.", author=world.chidi, now=timezone.now())
    send_emails(in_days=8)

    # One email each, in both parts.
    weekly, _ = catcher.emails_to(COUNCILLOR)
    for part in (weekly["text"], plain(weekly["html"])):
        email_text = " ".join(part.split())
        moved = f"changed the due date: was {long_date(in_days(30))}, now {long_date(in_days(90))}, 2 moves"
        assert f"{PROMISE}: {moved}" in email_text
        assert f"{ASK}: the ask is met" in email_text
        assert "Every party signed the terms" in email_text
        assert f"Left this partnership: {world.tidewater.name}" in email_text
        assert "Ground works" not in email_text
    summaries = [email for email in catcher.emails_to(MANAGER) if "Since your last summary" in email["text"]]
    [summary] = summaries
    assert len(catcher.emails_to(MANAGER)) == 1
    for part in (summary["text"], plain(summary["html"])):
        email_text = " ".join(part.split())
        assert f"{world.tidewater.name} has a question: {ASK}" in email_text
        assert f"was {long_date(in_days(60))}, now {long_date(in_days(90))}" in email_text
        assert f"was {long_date(in_days(30))}" not in email_text
        assert f"{world.larkhaven.name} has answered your ask" not in email_text

    # She reads the email in the catcher and in her browser, and replies.
    councillor.goto(f"{catcher.page}/")
    councillor.get_by_role("link", name=weekly["subject"]).first.click()
    shot(councillor, "catcher")
    councillor.goto(link_in(weekly["text"], "/digests/read/"))
    expect(councillor.locator("main")).to_contain_text("2 moves")
    accessibility_results = [axe_violations(councillor) == [] and reflows(councillor)]
    shot(councillor, "weekly-in-the-browser")
    [address] = weekly["headers"]["Reply-To"]
    catcher.take(reply_to(address, weekly["subject"]))
    output = StringIO()
    call_command("digests", "bounces", str(catcher.folder), stdout=output)
    assert "1 reply" in output.getvalue()
    send_emails()
    confirm_email = catcher.emails_to(COUNCILLOR)[0]
    councillor.goto(link_in(confirm_email["text"], "/answers/replies/"))
    expect(councillor.locator("main")).to_contain_text(REPLY)
    shot(councillor, "confirm")
    accessibility_results.append(axe_violations(councillor) == [] and reflows(councillor))
    councillor.get_by_role("button", name="Confirm comment").click()
    councillor.get_by_role("heading", name="Your comment has been sent").wait_for()

    # The plan's owner approves; a partner reads the comment.
    sign_in(amina, site, world.amina.email)
    amina.goto(f"{site}{reverse('answers:plan', kwargs={'pk': plan.pk})}")
    amina.get_by_role("button", name="Approve").click()
    amina.get_by_text("No answers are waiting for your decision").wait_for()
    ben.goto(f"{site}{reverse('answers:plan', kwargs={'pk': plan.pk})}")
    expect(ben.locator("main")).to_contain_text(REPLY)
    assert all(accessibility_results), accessibility_results


def plain(html: str) -> str:
    """Return the text of an HTML part."""
    return unescape(re.sub(r"<[^>]+>", "", re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)))


def reply_to(address: str, subject: str) -> EmailMessage:
    """Return the councillor's reply, with the quotation that her email app adds."""
    message = EmailMessage()
    message["From"] = COUNCILLOR
    message["To"] = address
    message["Subject"] = f"Re: {subject}"
    message["Message-ID"] = "<a-reply@ward.example>"
    message.set_content(f"{REPLY}\n\nOn Fri, 27 Nov 2026 at 08:00, Common Ground wrote:\n\n> ask met\n")
    return message


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
