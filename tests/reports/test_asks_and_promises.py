"""Promises kept, unanswered asks and reciprocity agree with counts by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.commitments.services import end_commitment
from partnerships.exchange.models import Audience, Entry
from partnerships.kit.moments import beginning_of
from partnerships.organisations.audience import Everybody, Reader
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.reports.snapshot import Table
from tests.commitments import promises
from tests.exchange.conftest import shared_entry
from tests.reports.conftest import cells, figures_for
from tests.world import World


def overdue(world: World, days: int) -> Commitment:
    """Create a commitment that was due some days ago. Its dates are set directly in the database."""
    late = promises.agree(world)
    Commitment.objects.filter(pk=late.pk).update(
        due_on=promises.in_days(-days), original_due_on=promises.in_days(-days)
    )
    return late


class Promises(NamedTuple):
    """Two of the commitments of Larkhaven: one that it kept in time, and one that is overdue by 12 days."""

    kept_in_time: Commitment
    overdue_commitment: Commitment


@pytest.fixture
def promises_of_larkhaven(world: World) -> Promises:
    """Create a commitment of each kind: kept in time, kept late, overdue, under way, proposed and cancelled."""
    kept_in_time = promises.verified_commitment(world)
    kept_late = promises.done_commitment(world)
    Commitment.objects.filter(pk=kept_late.pk).update(original_due_on=promises.in_days(-3))
    overdue_commitment = overdue(world, 12)
    promises.agree(world)
    promises.propose(world)
    end_commitment(commitment=promises.agree(world), reason="No money.", author=world.amina, now=timezone.now())
    return Promises(kept_in_time, overdue_commitment)


@pytest.mark.parametrize("row_name", ["Larkhaven Homes", "All"])
def test_each_promise_is_counted_once(world: World, promises_of_larkhaven: Promises, row_name: str) -> None:
    snapshot = figures_for(world.ben, "promises-kept")

    expected_figures = {
        "Agreed": 5,
        "Kept on time": 1,
        "Kept late": 1,
        "Overdue": 1,
        "Cancelled": 1,
        "Under way": 1,
        "Share kept": Decimal("50.0"),
    }
    assert {label: cells(snapshot, "givers", label)[row_name] for label in expected_figures} == expected_figures
    assert snapshot.answers[0] == (
        "2 of 5 promises have been kept, 1 of them late. "
        "That is 50.0% of those that were delivered, overdue or cancelled."
    )


def test_only_overdue_promises_are_listed(world: World, promises_of_larkhaven: Promises) -> None:
    snapshot = figures_for(world.ben, "promises-kept")

    assert cells(snapshot, "overdue", "Days overdue") == {promises_of_larkhaven.overdue_commitment.reference: 12}
    assert promises_of_larkhaven.kept_in_time.reference not in str(snapshot)


def test_a_stranger_gets_no_promises(world: World, promises_of_larkhaven: Promises) -> None:
    snapshot = figures_for(world.chidi, "promises-kept")

    assert [len(table.rows) for table in snapshot.tables] == [0, 0]


def share_ask(organisation: Organisation, author: User, partnership: Partnership, **changes: Any) -> Entry:
    """Share an ask with a partnership now."""
    return shared_entry(
        organisation, author, timezone.now(), audience=Audience.PARTNERSHIP, partnership=partnership, **changes
    )


def test_unanswered_asks_are_counted_by_age_in_whole_days(world: World) -> None:
    today = timezone.localdate()
    for days in (0, 14, 15, 28, 29, 56, 57, 182, 183, 400):
        ask = share_ask(world.larkhaven, world.amina, world.partnership, closes_on=None)
        Entry.objects.filter(pk=ask.pk).update(shared_at=beginning_of(today - dt.timedelta(days=days)))
    share_ask(world.tidewater, world.chidi, world.other_partnership)

    snapshot = figures_for(world.ben, "unanswered-asks")

    assert cells(snapshot, "ages", "Asks") == {
        "Up to 2 weeks": 2,
        "Up to 4 weeks": 2,
        "Up to 8 weeks": 2,
        "Up to half a year": 2,
        "Longer": 2,
        "All": 10,
    }
    oldest_table = snapshot.table("asks")
    assert oldest_table is not None
    assert [row.cells[3] for row in oldest_table.rows] == [400, 183, 182, 57, 56, 29, 28, 15, 14, 0]
    assert snapshot.answers == ("10 asks have no answer yet. The oldest has waited 400 days.",)


@pytest.fixture
def asks_and_promises(world: World) -> None:
    """Let Westmarch ask twice, and Larkhaven promise twice and keep one promise."""
    for _ in range(2):
        share_ask(world.westmarch, world.ben, world.partnership, closes_on=None)
    promises.verified_commitment(world)
    promises.agree(world)


def partners_table(reader: Reader) -> Table:
    """Return the table of the partners with which the reader's organisations exchange asks and promises."""
    table = figures_for(reader, "reciprocity").table("partners")
    assert table is not None
    return table


def test_reciprocity_says_what_each_party_asked_or_promised(world: World, asks_and_promises: None) -> None:
    table = partners_table(world.ben)

    assert [row.cells for row in table.rows] == [("Larkhaven Homes", 2, 0, 2, 0, 0, 0, 0, 0, 2, 1)]
    assert table.total is not None
    assert table.total.cells[1:] == table.rows[0].cells[1:]


def test_reciprocity_is_the_same_for_everybody_of_an_organisation(world: World, asks_and_promises: None) -> None:
    everybody_of_westmarch = Everybody([world.westmarch.pk])

    assert figures_for(everybody_of_westmarch, "reciprocity").tables == figures_for(world.ben, "reciprocity").tables


def test_a_stranger_has_no_partners_in_reciprocity(world: World, asks_and_promises: None) -> None:
    assert partners_table(world.chidi).rows == ()
