"""Surrey's three successions are passed on, undone and passed on again in a real browser."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.agreements.models import Partnership
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Handover, Organisation, Role, Succession
from partnerships.organisations.obligations import held_records_by_kind
from partnerships.organisations.tasks import hand_over_due
from partnerships.people.models import User
from partnerships.transfer.services.pending import load_pending
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.organisations.handing_over import COUNTY, EAST, WEST, councils, holders
from tests.organisations.test_duplicates import rows_by_table
from tests.support.browser import enter
from tests.world import World, join, make_world, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

#: The council whose last record has no handover line at first.
UNDECIDED_COUNCIL = "Woking"


@dataclass(frozen=True)
class Surrey:
    """Surrey with its twelve councils, their two successors, and one lead of each successor."""

    world: World
    councils: dict[str, Organisation]
    successions: list[Succession]
    east: Organisation
    west: Organisation
    edith: User
    wilf: User

    @property
    def merger_into_west(self) -> Succession:
        """Return the succession in which the lead of West Surrey answers."""
        return self.successions[1]

    def successor_of(self, name: str) -> Organisation:
        """Return the organisation that takes over from a council. East Surrey takes over from the county, too."""
        return self.west if name in WEST else self.east


@pytest.fixture
def surrey(transactional_db: None) -> Surrey:
    """Return Surrey, whose successions are pending until tomorrow, with lines for all records but one."""
    world = make_world()
    bodies = councils(world, (*EAST, *WEST, COUNTY))
    load_pending(author=None, now=timezone.now())
    successions = list(Succession.objects.order_by("pk"))
    assert [(succession.kind, succession.ties.count()) for succession in successions] == [
        ("merge", 5),
        ("merge", 6),
        ("split", 2),
    ]

    tomorrow = known_day(timezone.localdate() + dt.timedelta(1))
    for succession in successions:
        services.correct_succession(
            succession=succession, vests_on=tomorrow, reason="A rehearsal.", author=None, now=timezone.now()
        )
    east = Organisation.objects.get(name="East Surrey Council")
    west = Organisation.objects.get(name="West Surrey Council")
    edith = person("Edith East", "edith@east.example")
    wilf = person("Wilf West", "wilf@west.example")
    join(edith, east, Role.LEAD, world.now)
    join(wilf, west, Role.LEAD, world.now)

    result = Surrey(world, bodies, successions, east, west, edith, wilf)
    propose_all_but_one(result)
    return result


def propose_all_but_one(surrey: Surrey) -> None:
    """Propose all records of every council, except Woking's commitment."""
    for name, council in surrey.councils.items():
        successor = surrey.successor_of(name)
        succession = Succession.objects.get(ties__predecessor=council, ties__successor=successor)
        for group in held_records_by_kind(council, timezone.localdate()):
            if name == UNDECIDED_COUNCIL and group.kind.code == "commitments":
                continue
            services.propose_handovers(
                succession=succession,
                predecessor=council,
                kind=group.kind.code,
                records=[record.pk for record in group.records],
                successor=successor,
                author=None,
                now=timezone.now(),
            )


def in_days(days: int) -> Any:
    """Return a context in which it is some days later."""
    return time_machine.travel(timezone.now() + dt.timedelta(days))


def undecided_section(page: Any) -> Any:
    """Return the section of the council that has a record without a handover line."""
    heading = page.get_by_role("heading", name=f"{UNDECIDED_COUNCIL} Borough Council")
    return page.locator("section").filter(has=heading)


def test_surrey_becomes_two_councils_is_undone_and_becomes_two_again(
    page: Any, live_server: Any, surrey: Surrey
) -> None:
    origin = live_server.url
    holders_before = holders()
    rows_before = rows_by_table()
    partnership_url = origin + Partnership.objects.get(title=f"{UNDECIDED_COUNCIL} Homes").get_absolute_url()
    succession_url = origin + reverse("organisations:succession", args=[surrey.merger_into_west.pk])

    enter(page, origin, surrey.world.dee)
    page.goto(succession_url)
    record_that_the_order_was_made(page)
    assert set(Succession.objects.values_list("status", flat=True)) == {"order_made"}

    page.get_by_role("link", name="Who takes over what").click()
    expect(undecided_section(page)).to_contain_text("1 record has no handover line: the leads of")
    looks_right(page)
    propose_the_undecided_record(page)
    expect(undecided_section(page)).to_contain_text("Everything has a handover line.")

    enter(page, origin, surrey.wilf)
    page.goto(succession_url)
    accept_all_lines(page)
    assert page.goto(partnership_url).status == 404
    lines = list(Handover.objects.filter(successor=surrey.east))
    services.answer_handovers(lines=lines, accept=True, author=surrey.edith, now=timezone.now())

    # On vesting day everything passes on: the successor's lead reads the partnership, and old addresses still work.
    with in_days(1):
        hand_over_due()
        holders_after = holders()
        assert [held_records_by_kind(council, timezone.localdate()) for council in surrey.councils.values()] == [
            []
        ] * 12
        assert {receiver for _, _, receiver in holders_after["commitments"]} == {surrey.east.pk, surrey.west.pk}
        enter(page, origin, surrey.wilf)
        page.goto(partnership_url)
        expect(page.get_by_text("West Surrey Council").first).to_be_visible()
        page.goto(origin + surrey.councils[UNDECIDED_COUNCIL].get_absolute_url())
        expect(page.get_by_role("link", name="West Surrey Council").first).to_be_visible()

    # An administrator undoes all three successions: every organisation has its records again.
    with in_days(2):
        enter(page, origin, surrey.world.dee)
        page.goto(origin + reverse("organisations:undo-succession", args=[surrey.merger_into_west.pk]))
        undo_all_successions(page)
        hand_over_due()
        assert holders() == holders_before
        rows_after_undoing = rows_by_table()
        for table in ("agreements.Party", "agreements.Post", "commitments.Commitment"):
            assert rows_after_undoing[table] == rows_before[table], table

    # The undoing is undone: the successors have all records again.
    with in_days(3):
        undo_the_undoing(surrey)
        hand_over_due()
        assert holders() == holders_after


def record_that_the_order_was_made(page: Any) -> None:
    """Record on the page of a succession that the order was made, for all three successions."""
    page.get_by_role("link", name="Change the status or cancel the succession").click()
    page.get_by_label("Order made").check()
    page.get_by_label("Also the 2 other successions of the same order").check()
    page.get_by_label("Reason").fill("The order was made.")
    page.get_by_role("button", name="Change status").click()
    page.get_by_role("link", name="Who takes over what").wait_for()


def propose_the_undecided_record(page: Any) -> None:
    """Propose that West Surrey takes over the record that has no handover line."""
    undecided_section(page).get_by_role("link", name="Commitments").click()
    page.get_by_label("All 1 that match").check()
    page.get_by_label("Who takes over?").select_option(label="West Surrey Council")
    page.get_by_role("button", name="Propose to successor").click()


def accept_all_lines(page: Any) -> None:
    """Accept all handover lines on the page of a succession."""
    page.get_by_role("link", name="Who takes over what").click()
    page.get_by_role("link", name="Answer").click()
    page.get_by_label("Yes, we will take over").check()
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_text("You accepted").first).to_be_visible()


def undo_all_successions(page: Any) -> None:
    """Record on the page for undoing a succession that all three are undone from today on."""
    page.get_by_label("First day on which the succession no longer counts").fill(timezone.localdate().isoformat())
    page.get_by_label("What is the status?").select_option(label="Order made")
    page.get_by_label("Also the 2 other successions of the same order").check()
    page.get_by_label("Reason").fill("The order was quashed.")
    page.get_by_role("button", name="Record succession").click()
    expect(page.get_by_text("The succession that undoes this one has been recorded.")).to_be_visible()


def undo_the_undoing(surrey: Surrey) -> None:
    """Record that the three successions that undo the others are themselves undone from today on."""
    undoing_successions = Succession.objects.filter(undoes__in=surrey.successions).order_by("pk")
    services.undo_succession(
        succession=undoing_successions[0],
        vests_on=known_day(timezone.localdate()),
        status="order_made",
        reason="The appeal succeeded.",
        author=None,
        now=timezone.now(),
        together=True,
    )
