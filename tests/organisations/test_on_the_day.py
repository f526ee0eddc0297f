"""On vesting day the regular task does what it can, and administrators are asked to do the rest before."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
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

DECIDE, EFFECT = "Change the status of a succession or cancel it", "Fix a succession that has not taken effect"


#: Shortly after the beginning of the day on which the councils of Surrey are replaced.
VESTING = dt.datetime(2027, 4, 1, 0, 5, tzinfo=dt.UTC)


def pages(world: World, succession: Succession) -> list[str]:
    """Return the text that an administrator reads on the succession's page and on the list of pending successions."""
    client = signed_in(world.dee)
    addresses = reverse("organisations:succession", args=[succession.pk]), reverse("organisations:pending")
    return [" ".join(client.get(address).content.decode().split()) for address in addresses]


def locked_by(queries: CaptureQueriesContext) -> list[int]:
    """Return the ids of the successions that queries locked, in the order of the queries."""
    locking = re.compile(r'"organisations_succession"\."id" = (\d+)\D.*FOR UPDATE')
    return [int(match[1]) for query in queries.captured_queries if (match := locking.search(query["sql"]))]


@pytest.fixture
def refused_succession(world: World) -> Succession:
    """Return a merger that cannot take effect today, because one of its councils begins tomorrow."""
    succession = record_merger(world)
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=tomorrow())
    hand_over_due()
    return succession


def test_a_refused_succession_stores_the_reason_and_shows_it_to_administrators(
    world: World, refused_succession: Succession
) -> None:
    refused_succession.refresh_from_db()

    assert refused_succession.status == "order_made"
    assert "Correct its first day or the vesting day." in refused_succession.refused_because
    for page in pages(world, refused_succession):
        assert "The succession could not take effect: Westmarch Borough Council" in page
    assert EFFECT in task_names(world, world.dee)
    assert EFFECT not in task_names(world, world.ben)


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
    assert EFFECT not in task_names(world, world.dee)


def test_a_vesting_month_that_has_passed_needs_an_exact_day(world: World) -> None:
    succession = services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=PartialDate.parse(f"{today() - dt.timedelta(days=40):%Y-%m}"),
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
    first_succession, *_ = Succession.objects.order_by("pk")
    return Surrey(world, list(councils.values()), first_succession)


def test_administrators_are_asked_to_record_that_an_election_of_surrey_was_held(surrey: Surrey) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)):
        assert DECIDE in task_names(surrey.world, surrey.world.dee)
        for page in pages(surrey.world, surrey.first_succession):
            assert "The election or shadow authority was due 7 May 2026, but no administrator has recorded" in page


def test_surrey_does_not_take_effect_without_a_recorded_order(surrey: Surrey) -> None:
    with time_machine.travel(VESTING):
        hand_over_due()

        assert statuses_of_successions() == {"order_laid"}
        assert "The vesting day was 1 April 2027" in pages(surrey.world, surrey.first_succession)[0]


def test_an_order_of_surrey_recorded_early_does_not_take_effect_before_its_day(surrey: Surrey) -> None:
    with time_machine.travel(VESTING - dt.timedelta(days=30)):
        record_that_the_order_was_made(surrey.world, surrey.first_succession)
        hand_over_due()

        assert statuses_of_successions() == {"order_made"}
        assert DECIDE not in task_names(surrey.world, surrey.world.dee)


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
    successions = [
        services.record_succession(
            kind="absorb",
            status=status,
            place="Estuary",
            vests_on=known_day(today() + dt.timedelta(days=30)),
            ties=ties_between([create_council(name)], [world.harbour]),
            author=None,
            now=timezone.now(),
        )
        for name, status in (("Norbrook", "order_laid"), ("Eastmere", "order_laid"), ("Ashby", "proposed"))
    ]

    with CaptureQueriesContext(connection) as queries:
        services.change_succession_status(
            succession=successions[1],
            to="order_made",
            reason="Made.",
            author=world.dee,
            now=timezone.now(),
            together=True,
        )

    assert [Succession.objects.get(pk=succession.pk).status for succession in successions] == [
        "order_made",
        "order_made",
        "proposed",
    ]
    # Locked in the order of their ids, so that two administrators who start with different ones do not block each
    # other.
    assert locked_by(queries) == [successions[0].pk, successions[1].pk]
