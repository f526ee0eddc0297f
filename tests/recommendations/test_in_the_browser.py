"""A recommendation is proposed, adopted at a meeting, acted on, proved and reported in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from partnerships.agreements.models import Objective
from partnerships.commitments.models import Commitment
from partnerships.recommendations.models import Response
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.commitments.promises import in_days
from tests.conversations.gatherings import held_meeting
from tests.recommendations.reports import SHARE_PLANS, make_recommendation
from tests.support.browser import click_to_next_page, enter
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def choose(page: Any, label: str, text: str) -> None:
    """Type into an autocomplete field and choose its suggestion."""
    page.get_by_label(label).fill(text)
    page.get_by_role("option", name=text).first.click()


def test_adopted_at_a_meeting_it_becomes_work_with_evidence_and_a_report(
    page: Any, live_server: Any, transactional_db: None
) -> None:
    world: World = make_world()
    origin = live_server.url
    recommendation = make_recommendation(world)
    held_meeting(world)
    enter(page, origin, world.eddie)

    page.goto(origin + recommendation.get_absolute_url())
    propose_recommendation(page)
    record_adoption(page)
    adoption_url = page.url
    add_objective(page)
    page.goto(adoption_url)
    make_commitment(page)
    commitment = Commitment.objects.get()
    page.goto(adoption_url)
    outcomes = page.locator("section", has=page.get_by_role("heading", name="Outcomes"))
    expect(outcomes).to_contain_text(commitment.reference)
    expect(outcomes).to_contain_text(Objective.objects.get().text)
    looks_right(page)

    page.goto(origin + recommendation.get_absolute_url())
    respond(page)
    page.goto(origin + Response.objects.get().get_absolute_url())
    add_evidence(page, commitment)
    expect(page.locator("main")).to_contain_text("We promised it.")
    looks_right(page)

    enter(page, origin, world.ben)
    page.goto(origin + reverse("reports:report", args=["recommendations"]))
    changes = page.get_by_role("table").last
    for text in ("Adopted a recommendation", "Linked an outcome to a recommendation", "Added evidence"):
        expect(changes).to_contain_text(text)
    page.goto(origin + reverse("reports:report", args=["board-pack"]) + f"?partnership={world.partnership.pk}")
    expect(page.locator("tr", has_text="Share plans").filter(has_text="Adopted").first).to_be_visible()


def propose_recommendation(page: Any) -> None:
    """Propose on the page of a recommendation that the partnership adopts it."""
    page.get_by_role("link", name="Propose this recommendation").click()
    page.get_by_label("Partnership", exact=True).select_option(label="Estuary Partnership")
    page.get_by_label("Why should the partnership adopt this recommendation?").fill("Both sides lost months last year.")
    page.get_by_role("button", name="Propose recommendation").click()


def record_adoption(page: Any) -> None:
    """Record the meeting that adopted the recommendation."""
    page.get_by_role("link", name="Record adoption").click()
    choose(page, "Which meeting adopted the recommendation?", "Steering group")
    click_to_next_page(page.get_by_role("button", name="Record adoption"))


def add_objective(page: Any) -> None:
    """Add an objective that begins with the text of the recommendation."""
    page.get_by_role("link", name="Add an objective").click()
    expect(page.get_by_label("Objective", exact=True)).to_have_value(SHARE_PLANS)
    page.get_by_label("What is measured?").fill("Drafts shown to each other")
    page.get_by_label("Starting figure", exact=True).fill("0")
    page.get_by_label("Date of the starting figure").fill(f"{in_days(-1):%d/%m/%Y}")
    page.get_by_label("Target", exact=True).fill("4")
    page.get_by_label("Target date").fill(f"{in_days(200):%d/%m/%Y}")
    page.get_by_role("button", name="Add objective").click()
    expect(page.get_by_role("link", name="the recommendation “Share plans")).to_be_visible()


def make_commitment(page: Any) -> None:
    """Propose a commitment that follows from the adoption."""
    page.get_by_role("link", name="Make a commitment").click()
    choose(page, "Organisation that gives", "Larkhaven Homes")
    choose(page, "Organisation that receives", "Westmarch Borough Council")
    choose(page, "Owner", "Eddie Larch")
    page.get_by_label("Due date").fill(f"{in_days(90):%d/%m/%Y}")
    click_to_next_page(page.get_by_role("button", name="Propose commitment"))


def respond(page: Any) -> None:
    """Record for Larkhaven that the recommendation is under way."""
    page.get_by_role("link", name="Respond for Larkhaven Homes").click()
    page.get_by_label("Under way").check()
    click_to_next_page(page.get_by_role("button", name="Save response"))


def add_evidence(page: Any, commitment: Commitment) -> None:
    """Add the commitment as evidence of the response."""
    page.get_by_role("link", name="Commitment", exact=True).click()
    choose(page, "Commitment", commitment.reference)
    page.get_by_label("What the record shows").fill("We promised it.")
    page.get_by_role("button", name="Add evidence").click()
