"""Two partners draft, sign, amend and print terms in a real browser."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import Partnership, Status, TermsVersion
from partnerships.agreements.services import change_status, propose_amendment
from partnerships.people.models import User
from tests.support.browser import NARROW, WIDE, axe_violations, click_to_next_page, reflows, sign_in
from tests.support.terms import draft
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def drafting(transactional_db: None) -> World:
    """Return the world, with an Estuary Partnership that drafts its terms."""
    world = make_world()
    change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    return world


def looks_right(page: Any) -> None:
    """Check that the page is accessible and reflows, wide and on a telephone."""
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert axe_violations(page, is_narrowed=size == NARROW) == []
        assert reflows(page)
    page.set_viewport_size(WIDE)


def add_clause(page: Any, title: str, text: str) -> None:
    """Add a clause to the draft on the page."""
    page.get_by_role("link", name="Add a clause").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill(text)
    click_to_next_page(page.get_by_role("button", name="Save to the draft"))


def test_two_partners_draft_sign_amend_and_print(page: Any, live_server: Any, drafting: World) -> None:
    world, origin = drafting, live_server.url
    estuary = world.partnership
    proposal_url = origin + reverse("agreements:proposal", args=[estuary.pk, 1])

    # Each partner writes a clause.
    sign_in(page, origin, world.amina.email)
    page.goto(proposal_url)
    add_clause(page, "Meetings", "We meet every month.")
    set_review_date(page)
    looks_right(page)
    change_person(page, origin, world.ben)
    page.goto(proposal_url)
    expect(page.get_by_text("We meet every month.").first).to_be_visible()
    add_clause(page, "Exit", "Six months of notice.")

    # Amina signs on the page, and Ben from his email, without signing in.
    change_person(page, origin, world.amina)
    page.goto(proposal_url)
    send_first_version(page)
    click_to_next_page(page.get_by_role("link", name="Sign or decline"))
    sign_first_version(page, job_title="Chief executive")
    expect(page.get_by_text("You have signed version 1 for Larkhaven Homes.")).to_be_visible()
    page.context.clear_cookies()
    signatory = TermsVersion.objects.get(number=1).signatories.get(organisation=world.westmarch)
    page.goto(origin + reverse("agreements:sign-by-link", args=[terms_token(signatory, world.ben)]))
    sign_first_version(page, job_title="Director of housing")
    expect(page.get_by_role("heading", name="Signed", exact=True)).to_be_visible()
    assert Partnership.objects.get(pk=estuary.pk).status == Status.ACTIVE

    # Ben amends a clause; Larkhaven's amendment of the same clause collides.
    sign_in(page, origin, world.ben.email)
    page.goto(origin + reverse("agreements:terms", args=[estuary.pk]))
    looks_right(page)
    start_amendment(page)
    change_meetings(page, "We meet every quarter.")
    expect(page.locator("ins").first).to_contain_text("quarter")
    send_for_signature(page)
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    draft_amendment_of_larkhaven(world)
    change_person(page, origin, world.amina)
    page.goto(origin + reverse("agreements:proposal", args=[estuary.pk, 3]))
    change_meetings(page, "We meet every week.")
    send_for_signature(page)
    expect(page.locator("main").get_by_text("changes clause “Meetings” too").first).to_be_visible()

    page.goto(origin + reverse("agreements:terms-print", args=[estuary.pk, 1]))
    expect(page.get_by_text("Signed electronically").first).to_be_visible()
    looks_right(page)


def change_person(page: Any, origin: str, person: User) -> None:
    """Sign in as another person."""
    page.context.clear_cookies()
    sign_in(page, origin, person.email)


def set_review_date(page: Any) -> None:
    """Write into the draft that the terms are reviewed in a year."""
    page.get_by_role("link", name="Edit particulars").click()
    page.get_by_label("Review on").fill((timezone.localdate() + dt.timedelta(days=365)).isoformat())
    click_to_next_page(page.get_by_role("button", name="Save to the draft"))


def send_first_version(page: Any) -> None:
    """Send the draft of the first terms for signature, with a note."""
    click_to_next_page(page.get_by_role("link", name="Send for signature"))
    looks_right(page)
    page.get_by_label("What is in these terms, and why?").fill("Our first terms.")
    click_to_next_page(page.get_by_role("button", name="Send for signature"))


def sign_first_version(page: Any, *, job_title: str) -> None:
    """Fill in and send the form that signs the first version."""
    looks_right(page)
    page.get_by_label("I have read version 1 and sign it").check()
    page.get_by_label("Your job title").fill(job_title)
    page.get_by_role("button", name="Confirm decision").click()


def start_amendment(page: Any) -> None:
    """Start an amendment from the page of the terms."""
    page.get_by_role("link", name="Propose an amendment").click()
    page.get_by_label("Why should the terms change?").fill("Once a month is too much.")
    click_to_next_page(page.get_by_role("button", name="Start amendment"))


def change_meetings(page: Any, text: str) -> None:
    """Change the clause about meetings in an amendment."""
    page.locator("#clauses").get_by_role("link", name="Meetings", exact=True).click()
    page.get_by_label("Text").fill(text)
    click_to_next_page(page.get_by_role("button", name="Save to the draft"))


def send_for_signature(page: Any) -> None:
    """Send an amendment for signature."""
    page.get_by_role("link", name="Send for signature").click()
    click_to_next_page(page.get_by_role("button", name="Send for signature"))


def draft_amendment_of_larkhaven(world: World) -> None:
    """Draft an amendment of the first clause for Larkhaven."""
    amendment = propose_amendment(
        partnership=world.partnership,
        organisation=world.larkhaven,
        reason="More.",
        author=world.amina,
        now=timezone.now(),
    )
    assert TermsVersion.objects.get(number=1).content["clauses"][0]["key"]
    draft(amendment, world.amina, text="Nothing of the kind.")
