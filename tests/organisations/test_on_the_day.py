"""On vesting day the regular task does what it can, and administrators are asked to do the rest before."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations import services
from partnerships.organisations.models import Organisation, Status, Succession
from partnerships.organisations.services import ties_between, vesting
from partnerships.organisations.tasks import hand_over_due
from partnerships.transfer.services.pending import load_pending
from tests.organisations.handing_over import create_council, record_merger, task_names
from tests.support.moments import today, tomorrow
from tests.support.signing_in import signed_in
from tests.transfer.test_pending import create_councils_of_surrey
from tests.world import World, make_world

#: Tasks of administrators.
CHANGE_STATUS = "Change the status of a succession or cancel it"
FIX_SUCCESSION = "Fix a succession that has not taken effect"

#: Shortly after the beginning of the day on which the councils of Surrey are replaced.
VESTING = dt.datetime(2027, 4, 1, 0, 5, tzinfo=dt.UTC)


def text_of_page(world: World, address: str) -> str:
    """Return the HTML of a page as an administrator sees it, without line breaks."""
    return " ".join(signed_in(world.dee).get(address).content.decode().split())


def page_of(world: World, succession: Succession) -> str:
    """Return the HTML of a succession's page as an administrator sees it, without line breaks."""
    return text_of_page(world, reverse("organisations:succession", args=[succession.pk]))


def list_of_pending(world: World) -> str:
    """Return the HTML of the list of pending successions as an administrator sees it, without line breaks."""
    return text_of_page(world, reverse("organisations:pending"))


def locked_ids(queries: CaptureQueriesContext) -> list[int]:
    """Return the ids of the successions that queries locked, in the order of the queries."""
    all_sql = "\n".join(query["sql"] for query in queries.captured_queries)
    ids = re.findall(r'"organisations_succession"\."id" = (\d+)\D.*FOR UPDATE', all_sql)
    return [int(pk) for pk in ids]


@pytest.fixture
def refused_succession(world: World) -> Succession:
    """Return a merger that cannot take effect today, because one of its councils begins tomorrow."""
    succession = record_merger(world)
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=tomorrow())
    hand_over_due()
    return succession


def test_a_refused_succession_stores_the_reason(refused_succession: Succession) -> None:
    refused_succession.refresh_from_db()

    assert refused_succession.status == "order_made"
    assert "Correct its first day or the vesting day." in refused_succession.refused_because


def test_the_page_of_a_refused_succession_shows_the_reason(world: World, refused_succession: Succession) -> None:
    page = page_of(world, refused_succession)

    assert "The succession could not take effect: Westmarch Borough Council" in page


@pytest.mark.usefixtures("refused_succession")
def test_the_list_of_pending_successions_shows_why_one_was_refused(world: World) -> None:
    page = list_of_pending(world)

    assert "The succession could not take effect: Westmarch Borough Council" in page


@pytest.mark.usefixtures("refused_succession")
def test_administrators_have_a_task_about_a_refused_succession(world: World) -> None:
    tasks = task_names(world, world.dee)

    assert FIX_SUCCESSION in tasks


@pytest.mark.usefixtures("refused_succession")
def test_leads_have_no_task_about_a_refused_succession(world: World) -> None:
    tasks = task_names(world, world.ben)

    assert FIX_SUCCESSION not in tasks


def test_operators_are_alerted_to_a_refused_succession_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts: list[str] = []
    monkeypatch.setattr(vesting, "alert_operators", lambda subject, text: alerts.append(subject))
    succession = record_merger(world)
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=tomorrow())
    hand_over_due()

    hand_over_due()

    assert alerts == [f"Succession {succession.pk} could not take effect"]


def test_a_refused_succession_takes_effect_once_the_cause_is_corrected(
    world: World, refused_succession: Succession
) -> None:
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=None)

    hand_over_due()

    refused_succession.refresh_from_db()
    assert refused_succession.status == "effective"
    assert refused_succession.refused_because == ""
    assert refused_succession.refused_at is None
    assert FIX_SUCCESSION not in task_names(world, world.dee)


def test_a_vesting_month_that_has_passed_needs_an_exact_day(world: World) -> None:
    day_of_an_earlier_month = today() - dt.timedelta(days=40)
    succession = services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=PartialDate(day_of_an_earlier_month.year, day_of_an_earlier_month.month),
        ties=ties_between([world.westmarch], [world.harbour]),
        author=None,
        now=timezone.now(),
    )

    hand_over_due()

    succession.refresh_from_db()
    assert "Enter the exact vesting day" in succession.refused_because


class Surrey(NamedTuple):
    """The councils of Surrey, and the first of their three successions. Its order is laid."""

    world: World
    councils: list[Organisation]
    first_succession: Succession


@pytest.fixture
def surrey(db: None) -> Surrey:
    """Return Surrey on 30 November 2026, before its order is made."""
    with time_machine.travel(dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)):
        world = make_world()
        councils = create_councils_of_surrey()
        load_pending(author=None, now=timezone.now())
    return Surrey(world, list(councils.values()), Succession.objects.order_by("pk")[0])


@pytest.fixture
def after_the_election(surrey: Surrey) -> Iterator[Surrey]:
    """Return Surrey half a year after the day of its election, which no administrator has recorded."""
    with time_machine.travel(dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)):
        yield surrey


#: What pages say to administrators half a year after the election.
ELECTION_DUE = "The election or shadow authority was due 7 May 2026, but no administrator has recorded"


def test_administrators_have_a_task_to_record_an_election(after_the_election: Surrey) -> None:
    tasks = task_names(after_the_election.world, after_the_election.world.dee)

    assert CHANGE_STATUS in tasks


def test_the_page_of_a_succession_asks_to_record_an_election(after_the_election: Surrey) -> None:
    page = page_of(after_the_election.world, after_the_election.first_succession)

    assert ELECTION_DUE in page


def test_the_list_of_pending_successions_asks_to_record_an_election(after_the_election: Surrey) -> None:
    page = list_of_pending(after_the_election.world)

    assert ELECTION_DUE in page


def test_surrey_does_not_take_effect_without_a_recorded_order(surrey: Surrey) -> None:
    with time_machine.travel(VESTING):
        hand_over_due()

    assert statuses_of_successions() == {"order_laid"}


def test_the_page_of_a_succession_asks_for_its_order_on_vesting_day(surrey: Surrey) -> None:
    with time_machine.travel(VESTING):
        page = page_of(surrey.world, surrey.first_succession)

    assert "The vesting day was 1 April 2027" in page


def test_an_order_of_surrey_recorded_early_does_not_take_effect_before_its_day(surrey: Surrey) -> None:
    with time_machine.travel(VESTING - dt.timedelta(days=30)):
        record_that_the_order_was_made(surrey.world, surrey.first_succession)
        hand_over_due()

    assert statuses_of_successions() == {"order_made"}


def test_administrators_have_no_task_once_the_order_of_surrey_is_recorded(surrey: Surrey) -> None:
    with time_machine.travel(VESTING - dt.timedelta(days=30)):
        record_that_the_order_was_made(surrey.world, surrey.first_succession)
        tasks = task_names(surrey.world, surrey.world.dee)

    assert CHANGE_STATUS not in tasks


def test_surrey_takes_effect_on_its_day_once_the_order_is_recorded(surrey: Surrey) -> None:
    with time_machine.travel(VESTING - dt.timedelta(days=30)):
        record_that_the_order_was_made(surrey.world, surrey.first_succession)

    with time_machine.travel(VESTING):
        hand_over_due()

    assert statuses_of_successions() == {"effective"}
    check_successors_replace(surrey.councils)


def statuses_of_successions() -> set[str]:
    """Return the statuses that successions have."""
    return set(Succession.objects.values_list("status", flat=True))


def record_that_the_order_was_made(world: World, succession: Succession) -> None:
    """Record as an administrator that the order was made, for all three successions."""
    client = signed_in(world.dee)
    address = reverse("organisations:succession-status", args=[succession.pk])
    assert "Also the 2 other successions of the same order" in client.get(address).content.decode()
    client.post(address, {"status": "order_made", "reason": "The order was made.", "together": "on"})


def check_successors_replace(councils: Iterable[Organisation]) -> None:
    """Check that the councils ended on the vesting day, and that both successors began on it."""
    for council in councils:
        council.refresh_from_db()
        assert council.status == Status.DISSOLVED
        assert council.valid_to == dt.date(2027, 4, 1)
    for name in ("East Surrey Council", "West Surrey Council"):
        successor = Organisation.objects.get(name=name)
        assert successor.status == Status.ACTIVE
        assert successor.valid_from == dt.date(2027, 4, 1)


def test_a_status_change_together_leaves_out_successions_of_another_status(world: World) -> None:
    absorption_of_norbrook = record_absorption_in_estuary(world, "Norbrook", "order_laid")
    absorption_of_eastmere = record_absorption_in_estuary(world, "Eastmere", "order_laid")
    absorption_of_ashby = record_absorption_in_estuary(world, "Ashby", "proposed")

    record_order_together(world, absorption_of_eastmere)

    statuses = dict(Succession.objects.values_list("pk", "status"))
    assert statuses == {
        absorption_of_norbrook.pk: "order_made",
        absorption_of_eastmere.pk: "order_made",
        absorption_of_ashby.pk: "proposed",
    }


def test_a_status_change_together_locks_successions_in_the_order_of_their_ids(world: World) -> None:
    """So two administrators who start with different successions do not block each other."""
    absorption_of_norbrook = record_absorption_in_estuary(world, "Norbrook", "order_laid")
    absorption_of_eastmere = record_absorption_in_estuary(world, "Eastmere", "order_laid")

    with CaptureQueriesContext(connection) as queries:
        record_order_together(world, absorption_of_eastmere)

    assert locked_ids(queries) == [absorption_of_norbrook.pk, absorption_of_eastmere.pk]


def record_absorption_in_estuary(world: World, name: str, status: str) -> Succession:
    """Record that Harbour takes over a new council of this name in thirty days."""
    return services.record_succession(
        kind="absorb",
        status=status,
        place="Estuary",
        vests_on=known_day(today() + dt.timedelta(days=30)),
        ties=ties_between([create_council(name)], [world.harbour]),
        author=None,
        now=timezone.now(),
    )


def record_order_together(world: World, succession: Succession) -> None:
    """Record that the order was made, for the succession and the others of its place."""
    services.change_succession_status(
        succession=succession, to="order_made", reason="Made.", author=world.dee, now=timezone.now(), together=True
    )
