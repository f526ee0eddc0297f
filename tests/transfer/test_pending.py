"""Pending successions that come with the project are loaded and rehearsed."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.kit.dates import known_day
from partnerships.organisations.lineage import responsible_body_for
from partnerships.organisations.models import Organisation, Status, Succession
from partnerships.organisations.services import (
    change_succession_status,
    correct_succession,
    create_organisation,
    record_succession,
    ties_between,
)
from partnerships.outbox.models import Email
from partnerships.transfer.services.pending import PENDING, Loaded, load_pending
from partnerships.transfer.services.rehearsing import rehearse
from tests.world import World

FILE = json.loads(PENDING.read_text(encoding="utf-8"))


def create_councils_of_surrey() -> dict[str, Organisation]:
    """Create the twelve councils, and return them by GSS code."""
    codes = sorted({code for item in FILE["successions"] for code in item["predecessors"]})
    return {
        code: create_organisation(
            name=f"Council {code}", kind="council", identifiers=[("gss", code)], author=None, now=timezone.now()
        )
        for code in codes
    }


def load() -> Loaded:
    return load_pending(author=None, now=timezone.now())


@pytest.mark.usefixtures("world")
def test_successions_wait_until_their_councils_are_in_the_directory() -> None:
    loaded = load()

    assert loaded == Loaded(waiting=3)
    assert not Succession.objects.exists()


@pytest.mark.usefixtures("world")
def test_twelve_councils_become_two() -> None:
    councils = create_councils_of_surrey()

    loaded = load()

    assert len(councils) == 12
    assert loaded == Loaded(recorded=3)
    for name, predecessor_count in (("East Surrey Council", 5), ("West Surrey Council", 6)):
        successor = Organisation.objects.get(name=name)
        assert successor.status == Status.PROPOSED
        assert successor.ties_as_successor.filter(succession__kind="merge").count() == predecessor_count
    county = councils["E10000030"]
    assert {str(tie.succession.vests_on) for tie in county.ties_as_predecessor.all()} == {"2027-04-01"}


@pytest.mark.usefixtures("world")
def test_successions_that_are_loaded_again_are_known() -> None:
    create_councils_of_surrey()
    load()

    loaded = load()

    assert loaded == Loaded(known=3)
    assert Succession.objects.count() == 3


def test_every_pending_succession_names_its_source() -> None:
    for item in FILE["successions"]:
        assert item["source"]
        assert item["source_url"].startswith("https://")


def test_loading_again_does_not_change_what_an_administrator_decided(world: World) -> None:
    councils = create_councils_of_surrey()
    load()
    reason_and_author: dict[str, Any] = {"reason": "The order says so.", "author": world.dee, "now": timezone.now()}
    correct_succession(succession=Succession.objects.get(kind="split"), kind="replace", **reason_and_author)
    for succession in Succession.objects.all():
        status = "cancelled" if succession.kind == "replace" else "order_made"
        change_succession_status(
            succession=succession, to=status, reason="As decided.", author=world.dee, now=timezone.now()
        )

    call_command("load_pending")

    assert Succession.objects.count() == 3
    day = dt.date(2027, 4, 1)
    answers = [
        responsible_body_for(function="housing", organisation=council, day=day).body for council in councils.values()
    ]
    assert answers.count(councils["E10000030"].pk) == 1
    assert answers.count(Organisation.objects.get(name="West Surrey Council").pk) == 6


def test_rehearsal_of_the_successions_of_surrey_is_rolled_back(world: World) -> None:
    create_councils_of_surrey()
    load()
    counts_before = (
        Party.objects.count(),
        Email.objects.count(),
        Organisation.objects.count(),
        Succession.objects.count(),
    )
    first_succession = Succession.objects.order_by("pk")[0]

    rehearsal = rehearse(succession=first_succession, everything=True, invent=True, now=timezone.now())

    assert rehearsal.successions == 3
    assert rehearsal.remaining_count == 0
    assert len(rehearsal.before) == 14
    assert rehearsal.is_undone
    assert rehearsal.is_repeated
    holdings_of_successors = {name: kinds for name, kinds in rehearsal.after.items() if kinds}
    assert set(holdings_of_successors) == {"East Surrey Council", "West Surrey Council"}
    for kind in ("Partnerships", "Commitments"):
        assert [holdings_of_successors[f"{part} Surrey Council"][kind][0] for part in ("East", "West")] == [6, 6]
    assert sum(homes for kinds in rehearsal.after.values() for _, homes, _ in kinds.values()) == 12 * 40
    assert set(Succession.objects.values_list("status", flat=True)) == {"order_laid"}
    assert counts_before == (
        Party.objects.count(),
        Email.objects.count(),
        Organisation.objects.count(),
        Succession.objects.count(),
    )


def propose_that_harbour_absorbs_westmarch(world: World) -> Succession:
    """Propose that Westmarch joins Harbour today, and return the succession."""
    return record_succession(
        kind="absorb",
        status="proposed",
        vests_on=known_day(timezone.localdate()),
        ties=ties_between([world.westmarch], [world.harbour]),
        author=None,
        now=timezone.now(),
    )


def test_rehearsal_command_prints_what_does_not_move(world: World) -> None:
    succession = propose_that_harbour_absorbs_westmarch(world)
    stdout = StringIO()

    call_command("rehearse_succession", stdout=stdout)
    call_command("rehearse_succession", succession.pk, stdout=stdout)

    assert f"{succession.pk}  Westmarch Borough Council joins Harbour Community Trust" in stdout.getvalue()
    assert "Records left with organisations that end: 2." in stdout.getvalue()
    assert "Applying them again gave the same result: yes. Nothing was changed." in stdout.getvalue()


def test_rehearsal_command_prints_why_a_succession_would_fail(world: World) -> None:
    succession = propose_that_harbour_absorbs_westmarch(world)
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=timezone.localdate() + dt.timedelta(days=1))

    with pytest.raises(CommandError, match="Westmarch Borough Council: The organisation cannot end before"):
        call_command("rehearse_succession", succession.pk)

    succession.refresh_from_db()
    assert succession.status == "proposed"


def test_rehearsal_command_refuses_a_cancelled_succession(world: World) -> None:
    succession = propose_that_harbour_absorbs_westmarch(world)
    change_succession_status(succession=succession, to="cancelled", reason="No.", author=world.dee, now=timezone.now())

    with pytest.raises(CommandError, match="Only a pending succession"):
        call_command("rehearse_succession", succession.pk)
