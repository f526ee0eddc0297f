"""What the regular task does on vesting day, what it cannot do, and what an administrator must do before."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations import services
from partnerships.organisations.models import Organisation, Status, Succession
from partnerships.organisations.services import ties_between, vesting
from partnerships.organisations.tasks import hand_over_due
from partnerships.transfer.services.pending import load_pending
from tests.organisations.test_handovers import create_council, record_merger, task_names
from tests.support.moments import today, tomorrow
from tests.transfer.test_pending import create_councils_of_surrey
from tests.world import World, make_world

DECIDE, EFFECT = "Decide about a succession", "Fix a succession that has not taken effect"


def pages(world: World, succession: Succession) -> list[str]:
    """Return the text that an administrator reads on the succession's page and on the list of pending successions."""
    client = Client()
    client.force_login(world.dee)
    addresses = reverse("organisations:succession", args=[succession.pk]), reverse("organisations:pending")
    return [" ".join(client.get(address).content.decode().split()) for address in addresses]


def locked_by(queries: CaptureQueriesContext) -> list[int]:
    """Return the successions (ids) that queries locked one by one, in the order of the queries."""
    locking = re.compile(r'"organisations_succession"\."id" = (\d+)\D.*FOR UPDATE')
    return [int(match[1]) for query in queries.captured_queries if (match := locking.search(query["sql"]))]


def test_a_refused_succession_shows_administrators_the_reason_and_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts: list[str] = []
    monkeypatch.setattr(vesting, "alert_operators", lambda subject, text: alerts.append(subject))
    succession = record_merger(world)
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=tomorrow())

    hand_over_due()
    hand_over_due()

    succession.refresh_from_db()
    assert succession.status == "order_made"
    assert "Correct its first day or the vesting day." in succession.refused_because
    assert alerts == [f"Succession {succession.pk} could not take effect"]
    assert EFFECT in task_names(world, world.dee)
    assert EFFECT not in task_names(world, world.ben)
    for page in pages(world, succession):
        assert "The succession could not take effect: Westmarch Borough Council" in page
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=None)

    hand_over_due()

    succession.refresh_from_db()
    assert (succession.status, succession.refused_because, succession.refused_at) == ("effective", "", None)
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


def test_surrey_takes_effect_by_the_clock_once_an_administrator_recorded_its_order(db: None) -> None:
    vesting = dt.datetime(2027, 4, 1, 0, 5, tzinfo=dt.UTC)
    with time_machine.travel(dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)):
        world, councils = make_world(), create_councils_of_surrey()
        load_pending(author=None, now=timezone.now())
        first_succession, *_ = Succession.objects.order_by("pk")
        assert DECIDE in task_names(world, world.dee)
        for page in pages(world, first_succession):
            assert "The election or shadow authority was due 7 May 2026, but no administrator has recorded" in page
    with time_machine.travel(vesting):
        hand_over_due()
        assert set(Succession.objects.values_list("status", flat=True)) == {"order_laid"}
        assert "The vesting day was 1 April 2027" in pages(world, first_succession)[0]

    with time_machine.travel(vesting - dt.timedelta(days=30)):
        client = Client()
        client.force_login(world.dee)
        address = reverse("organisations:succession-status", args=[first_succession.pk])
        assert "Also the 2 other successions of the same order" in client.get(address).content.decode()
        client.post(address, {"status": "order_made", "reason": "The order was made.", "together": "on"})
        assert set(Succession.objects.values_list("status", flat=True)) == {"order_made"}
        assert DECIDE not in task_names(world, world.dee)
        hand_over_due()
        assert not Succession.objects.filter(status="effective").exists()
    with time_machine.travel(vesting):
        hand_over_due()

        assert set(Succession.objects.values_list("status", flat=True)) == {"effective"}
        councils = {code: Organisation.objects.get(pk=one.pk) for code, one in councils.items()}
        assert {(council.status, council.valid_to) for council in councils.values()} == {
            (Status.DISSOLVED, dt.date(2027, 4, 1))
        }
        new_councils = Organisation.objects.filter(name__in=["East Surrey Council", "West Surrey Council"])
        assert {(organisation.status, organisation.valid_from) for organisation in new_councils} == {
            (Status.ACTIVE, dt.date(2027, 4, 1))
        }


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
