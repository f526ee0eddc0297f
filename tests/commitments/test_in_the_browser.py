"""In a real browser, an ask becomes a commitment whose delivery is verified."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from partnerships.commitments.models import Commitment, Status
from partnerships.exchange.models import Audience, Direction, Entry
from partnerships.exchange.models import Status as EntryStatus
from partnerships.exchange.services import create_entry, share_entry
from partnerships.exchange.services.matches import match_due_entries
from partnerships.kit.dates import long_date
from tests.commitments.access import prepare as prepare_commitments
from tests.commitments.promises import in_days
from tests.conversations.access import prepare as prepare_conversations
from tests.support.browser import NARROW, PATIENCE, WIDE, axe_violations, click_to_next_page, reflows, sign_in
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def entries(world: World) -> tuple[Entry, Entry]:
    """Return Ben's ask for sixty homes and Amina's matching offer."""
    shared_entries = []
    for organisation, author, direction, title in (
        (world.westmarch, world.ben, Direction.ASK, "Sixty homes for families in hotels"),
        (world.larkhaven, world.amina, Direction.OFFER, "Modular homes for families"),
    ):
        entry = create_entry(
            organisation=organisation,
            direction=direction,
            title=title,
            theme="homelessness",
            audience=Audience.PARTNERSHIP,
            partnership=world.partnership,
            quantity=Decimal(60),
            unit="homes",
            author=author,
            now=timezone.now(),
        )
        shared_entries.append(share_entry(entry=entry, author=author, now=timezone.now()))
    match_due_entries(now=timezone.now())
    return shared_entries[0], shared_entries[1]


def as_person(browser: Any, origin: str, email: str) -> Page:
    """Open a separate browser window, signed in as a person."""
    page: Page = browser.new_context(viewport=WIDE).new_page()
    page.set_default_timeout(PATIENCE)
    sign_in(page, origin, email)
    return page


def choose(page: Page, label: str, text: str) -> None:
    """Type into an autocomplete field and choose its suggestion."""
    field = page.get_by_label(label)
    field.fill(text)
    page.get_by_role("option", name=text).first.click()


def test_ask_becomes_a_delivered_commitment(browser: Any, live_server: Any, committed_world: World) -> None:
    ask, offer = entries(committed_world)
    origin = live_server.url
    amina = as_person(browser, origin, "amina@larkhaven.example")
    ben = as_person(browser, origin, "ben@westmarch.example")

    amina.goto(f"{origin}{offer.get_absolute_url()}")
    amina.get_by_role("link", name="Asks that fit this offer").click()
    expect(amina.locator("body")).to_contain_text("same theme", ignore_case=True)
    amina.goto(f"{origin}{ask.get_absolute_url()}")
    answer_ask(amina)
    ben.goto(f"{origin}{ask.get_absolute_url()}")
    accept_answer(ben)

    amina.goto(f"{origin}{ask.get_absolute_url()}")
    propose_commitment(amina)
    commitment = Commitment.objects.get()
    assert commitment.quantity == 60
    ben.goto(f"{origin}{commitment.get_absolute_url()}")
    ben.get_by_role("link", name="Confirm for Westmarch Borough Council").click()
    ben.get_by_role("button", name="Confirm for Westmarch Borough Council").click()
    expect(ben.locator("body")).to_contain_text(f"{commitment.reference} has been agreed.")

    amina.goto(f"{origin}{commitment.get_absolute_url()}")
    report_progress(amina, delivered="40", status="In progress: on track")
    expect(amina.locator("body")).to_contain_text("40 of 60 homes")
    report_progress(amina, delivered="60", status="Done: everything is delivered")
    expect(amina.get_by_role("button", name="Report progress")).to_have_count(0)
    ben.reload()
    verify_delivery(ben)

    expect(ben.locator("body")).to_contain_text("has been verified as delivered")
    commitment.refresh_from_db()
    ask.refresh_from_db()
    assert commitment.status == Status.VERIFIED
    assert ask.status == EntryStatus.MET
    ben.goto(f"{origin}{ask.get_absolute_url()}")
    expect(ben.locator("body")).to_contain_text(commitment.reference)


def answer_ask(page: Page) -> None:
    """Offer all that is asked for."""
    page.get_by_role("link", name="Answer this ask").click()
    page.get_by_label("What can you offer?").fill("All sixty, at Quayside.")
    page.get_by_role("checkbox", name="All of it").check()
    click_to_next_page(page.get_by_role("button", name="Send answer"))


def accept_answer(page: Page) -> None:
    """Accept the answer to the ask."""
    page.get_by_role("link", name="Accept or decline the answer from Larkhaven Homes").click()
    page.get_by_label("Accept", exact=True).check()
    click_to_next_page(page.get_by_role("button", name="Send decision"))


def propose_commitment(page: Page) -> None:
    """Propose the commitment that follows from the answer, and confirm it for the proposer's organisation."""
    page.get_by_role("link", name="Make a commitment from this answer from Larkhaven Homes").click()
    choose(page, "Owner", "Eddie Larch")
    text = "Sixty homes for families in hotels: All sixty, at Quayside."
    expect(page.get_by_label("What is promised")).to_have_value(text)
    page.get_by_label("Due date").fill(f"{in_days(90):%d/%m/%Y}")
    page.get_by_label("Due date").press("Tab")
    expect(page.get_by_role("status").filter(has_text=long_date(in_days(90)))).to_be_visible()
    page.get_by_label("Confirm for my organisation now").check()
    click_to_next_page(page.get_by_role("button", name="Propose commitment"))


def report_progress(page: Page, *, delivered: str, status: str) -> None:
    """Report progress on the page of the commitment."""
    page.get_by_role("link", name="Report progress").first.click()
    page.get_by_label("Total delivered so far").fill(delivered)
    page.get_by_label(status).check()
    page.get_by_role("button", name="Report progress").click()


def verify_delivery(page: Page) -> None:
    """Confirm as the receiver that everything is delivered."""
    page.get_by_role("link", name="Verify the delivery").click()
    page.get_by_label("Yes, everything is delivered").check()
    page.get_by_role("button", name="Send answer").click()


#: Pages that depend on a record's state; tests/test_every_page_is_accessible.py opens each other page.
PAGES = [
    "/commitments/new/?partnership={partnership}",
    "/commitments/{proposed}/",
    "/commitments/{proposed}/edit/",
    "/commitments/{proposed}/confirm/giving/",
    "/commitments/{proposed}/end/",
    "/commitments/{agreed}/",
    "/commitments/{agreed}/progress/",
    "/commitments/{agreed}/due-date/",
    "/commitments/{agreed}/owner/",
    "/commitments/{agreed}/escalate/",
    "/commitments/{agreed}/evidence/",
    "/commitments/{done}/",
    "/conversations/new/?find=harbour",
    "/conversations/new/?partnership={partnership}",
    "/conversations/{talk}/",
    "/conversations/{talk}/edit/",
    "/conversations/{talk}/agree/",
    "/conversations/{talk}/note/",
    "/conversations/{talk_draft}/circulate/",
    "/conversations/{talk_planned}/cancel/",
    "/conversations/corrections/{correction}/",
    "/conversations/points/{obstacle}/close/",
    "/conversations/points/{obstacle}/become/",
    "/organisations/{westmarch}/brief/",
    "/organisations/{westmarch}/give-and-take/",
]


def test_pages_in_each_state_are_accessible_and_reflow(page: Any, live_server: Any, committed_world: World) -> None:
    prepare_commitments(committed_world)
    prepare_conversations(committed_world)
    ids = {name: thing.pk for name, thing in committed_world.things.items()}
    ids |= {"partnership": committed_world.partnership.pk, "westmarch": committed_world.westmarch.pk}
    sign_in(page, live_server.url, "amina@larkhaven.example")
    problems_by_page = {}

    for path in PAGES:
        address = path.format(**ids)
        page.set_viewport_size(WIDE)
        response = page.goto(f"{live_server.url}{address}")
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            problems = axe_violations(page, is_narrowed=size == NARROW)
            problems += [] if reflows(page) else ["needs sideways scrolling"]
            if response.status != 200 or problems:
                problems_by_page[address, size["width"]] = [response.status, *problems]

    assert problems_by_page == {}
