"""Surrey in a real browser, with its three successions: passed on, undone and passed on again."""

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
from partnerships.organisations.models import Handover, Organisation, Role, Succession
from partnerships.organisations.obligations import held_by
from partnerships.organisations.tasks import hand_over_due
from partnerships.transfer.services.pending import load_pending
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.organisations.test_duplicates import rows_by_table
from tests.organisations.test_handovers import COUNTY, EAST, WEST, councils, holders
from tests.support.browser import enter
from tests.world import join, make_world, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

WITHOUT_A_LINE = "Woking"


@pytest.fixture(autouse=True)
def _built() -> None:
    if not (Path(django_settings.BASE_DIR) / "static" / "build" / "css" / "site.css").exists():
        pytest.fail("The stylesheets are not built: run `npm ci --ignore-scripts && node static/build.mjs`.")


def propose_all_but_one(bodies: dict[str, Organisation], successor_by_name: dict[str, Organisation]) -> None:
    """Propose all records of every council, except Woking's commitment."""
    for name, council in bodies.items():
        succession = Succession.objects.get(ties__predecessor=council, ties__successor=successor_by_name[name])
        for group in held_by(council, timezone.localdate()):
            if (name, group.kind.code) != (WITHOUT_A_LINE, "commitments"):
                services.propose_handovers(
                    succession=succession,
                    predecessor=council,
                    kind=group.kind.code,
                    records=[thing.pk for thing in group.things],
                    successor=successor_by_name[name],
                    author=None,
                    now=timezone.now(),
                )


def in_days(days: int) -> Any:
    return time_machine.travel(timezone.now() + dt.timedelta(days))


def test_surrey_becomes_two_councils_is_undone_and_becomes_two_again(
    page: Any, live_server: Any, transactional_db: None
) -> None:
    world, origin = make_world(), live_server.url
    bodies = councils(world, (*EAST, *WEST, COUNTY))
    load_pending(author=None, now=timezone.now())
    order = list(Succession.objects.order_by("pk"))
    assert [(succession.kind, succession.ties.count()) for succession in order] == [
        ("merge", 5),
        ("merge", 6),
        ("split", 2),
    ]
    tomorrow = known_day(timezone.localdate() + dt.timedelta(1))
    for succession in order:
        arguments = {"reason": "A rehearsal.", "author": None, "now": timezone.now()}
        services.correct_succession(succession=succession, vests_on=tomorrow, **arguments)
    east, west = (Organisation.objects.get(name=f"{part} Surrey Council") for part in ("East", "West"))
    edith, wilf = person("Edith East", "edith@east.example"), person("Wilf West", "wilf@west.example")
    join(edith, east, Role.LEAD, world.now)
    join(wilf, west, Role.LEAD, world.now)
    propose_all_but_one(bodies, {name: west if name in WEST else east for name in bodies})
    holders_before, rows_before = holders(), rows_by_table()
    partnership_url = origin + Partnership.objects.get(title=f"{WITHOUT_A_LINE} Homes").get_absolute_url()
    succession_url = origin + reverse("organisations:succession", args=[order[1].pk])

    # An administrator records for all three that the order is made, and sees the record that still has no line.
    enter(page, origin, world.dee)
    page.goto(succession_url)
    page.get_by_role("link", name="Change the status or cancel the succession").click()
    page.get_by_label("Order made").check()
    page.get_by_label("Also the 2 other successions of the same order").check()
    page.get_by_label("Why").fill("The order was made.")
    page.get_by_role("button", name="Change status").click()
    page.get_by_role("link", name="Who takes over what").click()
    assert set(Succession.objects.values_list("status", flat=True)) == {"order_made"}
    name = f"{WITHOUT_A_LINE} Borough Council"
    undecided = page.locator("section").filter(has=page.get_by_role("heading", name=name))
    expect(undecided).to_contain_text("1 record has no handover line: the leads of")
    looks_right(page)

    # The administrator proposes it; the leads of both successors accept everything.
    undecided.get_by_role("link", name="Commitments").click()
    page.get_by_label("All 1 that match").check()
    page.get_by_label("Who takes over?").select_option(label="West Surrey Council")
    page.get_by_role("button", name="Propose to successor").click()
    expect(undecided).to_contain_text("Everything has a handover line.")
    enter(page, origin, wilf)
    page.goto(succession_url)
    page.get_by_role("link", name="Who takes over what").click()
    page.get_by_role("link", name="Answer").click()
    page.get_by_label("Yes, we take over").check()
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_text("You accepted").first).to_be_visible()
    assert page.goto(partnership_url).status == 404
    lines = Handover.objects.filter(successor=east)
    services.answer_handovers(lines=list(lines), accept=True, author=edith, now=timezone.now())

    # On vesting day everything passes on: the successor's lead reads the partnership, and old addresses still work.
    with in_days(1):
        hand_over_due()
        holders_after = holders()
        assert [held_by(body, timezone.localdate()) for body in bodies.values()] == [[]] * 12
        assert {receiver for _, _, receiver in holders_after["commitments"]} == {east.pk, west.pk}
        enter(page, origin, wilf)
        page.goto(partnership_url)
        expect(page.get_by_text("West Surrey Council").first).to_be_visible()
        page.goto(origin + bodies[WITHOUT_A_LINE].get_absolute_url())
        expect(page.get_by_role("link", name="West Surrey Council").first).to_be_visible()

    # An administrator undoes all three: every record is back where it was.
    with in_days(2):
        enter(page, origin, world.dee)
        page.goto(origin + reverse("organisations:undo-succession", args=[order[1].pk]))
        page.get_by_label("First day on which the succession no longer counts").fill(timezone.localdate().isoformat())
        page.get_by_label("How far has this got?").select_option(label="Order made")
        page.get_by_label("Also the 2 other successions of the same order").check()
        page.get_by_label("Why").fill("The order was quashed.")
        page.get_by_role("button", name="Record succession").click()
        expect(page.get_by_text("The succession that undoes this one has been recorded.")).to_be_visible()
        hand_over_due()
        assert holders() == holders_before
        rows_after_undoing = rows_by_table()
        for table in ("agreements.Party", "agreements.Post", "commitments.Commitment"):
            assert rows_after_undoing[table] == rows_before[table], table

    # The undoing is undone: every record is again where it had passed to.
    with in_days(3):
        undoing = Succession.objects.filter(undoes__in=order).order_by("pk")
        services.undo_succession(
            succession=undoing[0],
            vests_on=known_day(timezone.localdate()),
            status="order_made",
            reason="The appeal succeeded.",
            author=None,
            now=timezone.now(),
            together=True,
        )
        hand_over_due()
        assert holders() == holders_after
