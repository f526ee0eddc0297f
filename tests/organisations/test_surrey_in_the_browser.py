"""Twelve councils become two in a real browser: previewed, accepted, passed on, undone and passed on again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.agreements.models import Partnership
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Organisation, Role, Succession
from partnerships.organisations.obligations import held_by
from partnerships.organisations.tasks import hand_over_due
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.organisations.test_handovers import EAST, WEST, holders, surrey_councils, surrey_ties
from tests.support.browser import sign_in
from tests.world import join, make_world, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

WITHOUT_A_LINE = "Woking"
LEADS = {"East Surrey": "edith@east.example", "West Surrey": "wilf@west.example"}


@pytest.fixture(autouse=True)
def _built() -> None:
    if not (Path(django_settings.BASE_DIR) / "static" / "build" / "css" / "site.css").exists():
        pytest.fail("The stylesheets are not built: run `npm ci --ignore-scripts && node static/build.mjs`.")


def propose_all_but_one(succession: Succession, bodies: dict[str, Organisation]) -> None:
    """Every council proposes what it holds; Woking leaves out its commitment."""
    for name in (*EAST, *WEST, "Surrey County"):
        for group in held_by(bodies[name], timezone.localdate()):
            if (name, group.kind.code) != (WITHOUT_A_LINE, "commitments"):
                services.propose_handovers(
                    succession=succession,
                    predecessor=bodies[name],
                    kind=group.kind.code,
                    records=[one.pk for one in group.things],
                    successor=bodies["West Surrey" if name in WEST else "East Surrey"],
                    author=None,
                    now=timezone.now(),
                )


def undo(page: Any, origin: str, email: str, succession: Succession, *, days: int) -> dict[str, list[Any]]:
    """An administrator undoes the succession from a day on, and that day comes; returns who holds what then."""
    with time_machine.travel(timezone.now() + dt.timedelta(days)):
        today = timezone.localdate()
        sign_in(page, origin, email)
        page.goto(origin + reverse("organisations:undo-succession", args=[succession.pk]))
        page.get_by_label("First day on which it counts no longer").fill(today.isoformat())
        page.get_by_label("How far is it?").select_option(label="Order made")
        page.get_by_label("Why").fill("The order was quashed.")
        page.get_by_role("button", name="Record what undoes it").click()
        expect(page.get_by_text("What undoes it is recorded.")).to_be_visible()
        hand_over_due()
        page.context.clear_cookies()
        return holders()


def test_surrey_becomes_two_councils_is_undone_and_becomes_two_again(
    page: Any, live_server: Any, transactional_db: None
) -> None:
    world, origin = make_world(), live_server.url
    bodies, tomorrow = surrey_councils(world), timezone.localdate() + dt.timedelta(1)
    for name, email in LEADS.items():
        join(person(f"{name} Lead", email), bodies[name], Role.LEAD, world.now)
    succession = services.record_succession(
        kind="replace",
        status="order_laid",
        place="Surrey",
        vests_on=known_day(tomorrow),
        ties=surrey_ties(bodies),
        author=None,
        now=timezone.now(),
    )
    propose_all_but_one(succession, bodies)
    before, woking = holders(), f"{WITHOUT_A_LINE} Borough Council"
    homes = origin + Partnership.objects.get(title=f"{WITHOUT_A_LINE} Homes").get_absolute_url()
    overview = origin + reverse("organisations:handover", args=[succession.pk])

    # An administrator records that the order is made, and sees what is still without a line and who must decide.
    sign_in(page, origin, world.dee.email)
    page.goto(origin + reverse("organisations:succession", args=[succession.pk]))
    page.get_by_role("link", name="Change the status or cancel it").click()
    page.get_by_label("Order made").check()
    page.get_by_label("Why").fill("The order was made.")
    page.get_by_role("button", name="Change status").click()
    page.get_by_role("link", name="Who takes over what").click()
    undecided = page.locator("section").filter(has=page.get_by_role("heading", name=woking))
    expect(undecided).to_contain_text("1 without a line: the leads of")
    looks_right(page)

    # The administrator proposes it; the leads of both successors accept everything.
    undecided.get_by_role("link", name="Commitments").click()
    page.get_by_label("All 1 that the filter found").check()
    page.get_by_label("Who takes over?").select_option(label="West Surrey Council")
    looks_right(page)
    page.get_by_role("button", name="Propose to successor").click()
    expect(undecided).to_contain_text("Everything has a line.")
    page.context.clear_cookies()
    for email in LEADS.values():
        sign_in(page, origin, email)
        page.goto(overview)
        page.get_by_role("link", name="Answer").click()
        page.get_by_label("Yes, we take it over").check()
        page.get_by_role("button", name="Send answer").click()
        expect(page.get_by_text("accepted.").first).to_be_visible()
        assert page.goto(homes).status == 404
        page.context.clear_cookies()

    # On vesting day it passes on: the successor's lead reads the partnership, and old addresses answer.
    with time_machine.travel(timezone.now() + dt.timedelta(days=1)):
        hand_over_due()
        after = holders()
        assert after != before
        sign_in(page, origin, LEADS["West Surrey"])
        page.goto(homes)
        expect(page.get_by_text("West Surrey Council").first).to_be_visible()
        page.goto(origin + bodies[WITHOUT_A_LINE].get_absolute_url())
        expect(page.get_by_role("link", name="West Surrey Council").first).to_be_visible()
        page.context.clear_cookies()

    # An administrator undoes it, and undoes that: everything is where it was, and then where it went.
    assert undo(page, origin, world.dee.email, succession, days=2) == before
    back = Succession.objects.get(undoes=succession)
    assert undo(page, origin, world.dee.email, back, days=3) == after
