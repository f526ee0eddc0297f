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

#: The council with a record that has no handover line at first.
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

    @property
    def partnership_url(self) -> str:
        """Return the path of the partnership of the council with the undecided record."""
        return Partnership.objects.get(title=f"{UNDECIDED_COUNCIL} Homes").get_absolute_url()

    def successor_of(self, name: str) -> Organisation:
        """Return the organisation that takes over from a council. East Surrey takes over from the county, too."""
        return self.west if name in WEST else self.east


@pytest.fixture
def surrey(transactional_db: None) -> Surrey:
    """Return Surrey with successions that vest tomorrow, and proposed lines for all records but one."""
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
        codes = [group.kind.code for group in held_records_by_kind(council, timezone.localdate())]
        if name == UNDECIDED_COUNCIL:
            codes.remove("commitments")
        propose_records(surrey, name, codes)


def propose_records(surrey: Surrey, name: str, codes: list[str]) -> None:
    """Propose that a council's successor takes over its records of these kinds."""
    council, successor = surrey.councils[name], surrey.successor_of(name)
    for group in held_records_by_kind(council, timezone.localdate(), codes):
        services.propose_handovers(
            succession=Succession.objects.get(ties__predecessor=council, ties__successor=successor),
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


def test_leads_propose_and_accept_what_passes_on(page: Any, live_server: Any, surrey: Surrey) -> None:
    origin = live_server.url
    succession_url = origin + reverse("organisations:succession", args=[surrey.merger_into_west.pk])

    enter(page, origin, surrey.world.dee)
    page.goto(succession_url)
    record_that_the_order_was_made(page)
    page.get_by_role("link", name="Who takes over what").click()
    expect(undecided_section(page)).to_contain_text("1 record has no handover line: the leads of")
    looks_right(page)
    propose_the_undecided_record(page)
    expect(undecided_section(page)).to_contain_text("Everything has a handover line.")

    enter(page, origin, surrey.wilf)
    page.goto(succession_url)
    accept_all_lines(page)

    assert set(Succession.objects.values_list("status", flat=True)) == {"order_made"}
    assert set(Handover.objects.filter(successor=surrey.west).values_list("state", flat=True)) == {"accepted"}
    assert page.goto(origin + surrey.partnership_url).status == 404, "Nothing passes on before vesting day."


def test_the_successors_lead_reads_the_records_on_vesting_day(page: Any, live_server: Any, surrey: Surrey) -> None:
    origin = live_server.url
    accept_everything(surrey)

    with in_days(1):
        hand_over_due()
        enter(page, origin, surrey.wilf)
        page.goto(origin + surrey.partnership_url)
        expect(page.get_by_text("West Surrey Council").first).to_be_visible()
        page.goto(origin + surrey.councils[UNDECIDED_COUNCIL].get_absolute_url())
        expect(page.get_by_role("link", name="West Surrey Council").first).to_be_visible()

        records_left = [held_records_by_kind(council, timezone.localdate()) for council in surrey.councils.values()]
        receiver_ids = {receiver_id for _, _, receiver_id in holders()["commitments"]}

    assert records_left == [[]] * 12
    assert receiver_ids == {surrey.east.pk, surrey.west.pk}


def test_an_administrator_undoes_all_three_successions(page: Any, live_server: Any, surrey: Surrey) -> None:
    origin = live_server.url
    accept_everything(surrey)
    holders_before = holders()
    rows_before = rows_by_table()
    with in_days(1):
        hand_over_due()

    with in_days(2):
        enter(page, origin, surrey.world.dee)
        page.goto(origin + reverse("organisations:undo-succession", args=[surrey.merger_into_west.pk]))
        undo_all_successions(page)
        hand_over_due()
        holders_after_undoing = holders()
        rows_after_undoing = rows_by_table()

    assert holders_after_undoing == holders_before
    for table in ("agreements.Party", "agreements.Post", "commitments.Commitment"):
        assert rows_after_undoing[table] == rows_before[table], table


def test_the_successors_have_all_records_again_once_the_undoing_is_undone(surrey: Surrey) -> None:
    accept_everything(surrey)
    with in_days(1):
        hand_over_due()
        holders_after = holders()
    with in_days(2):
        undo_together(Succession.objects.get(pk=surrey.successions[0].pk))
        hand_over_due()

    with in_days(3):
        undo_together(Succession.objects.filter(undoes__in=surrey.successions).order_by("pk")[0])
        hand_over_due()
        holders_after_second_undoing = holders()

    assert holders_after_second_undoing == holders_after


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


def undo_together(succession: Succession) -> None:
    """Record that the succession and the two others of its order are undone from today on."""
    services.undo_succession(
        succession=succession,
        vests_on=known_day(timezone.localdate()),
        status="order_made",
        reason="The court decided.",
        author=None,
        now=timezone.now(),
        together=True,
    )


def accept_everything(surrey: Surrey) -> None:
    """Record that the order was made, and propose and accept all records of the twelve councils."""
    services.change_succession_status(
        succession=surrey.merger_into_west,
        to="order_made",
        reason="The order was made.",
        author=None,
        now=timezone.now(),
        together=True,
    )
    propose_records(surrey, UNDECIDED_COUNCIL, ["commitments"])
    for successor, lead in ((surrey.east, surrey.edith), (surrey.west, surrey.wilf)):
        lines = list(Handover.objects.filter(successor=successor))
        services.answer_handovers(lines=lines, accept=True, author=lead, now=timezone.now())
