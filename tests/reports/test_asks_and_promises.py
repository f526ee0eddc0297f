"""Promises kept, unanswered asks and reciprocity agree with counts by hand."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.services import end_commitment
from partnerships.exchange.models import Audience, Entry
from partnerships.organisations.audience import Everybody
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


def test_each_promise_counts_once_by_what_became_of_it(world: World) -> None:
    in_time = promises.verified_commitment(world)
    late = promises.done_commitment(world)
    Commitment.objects.filter(pk=late.pk).update(original_due_on=promises.in_days(-3))
    overdue_commitment = overdue(world, 12)
    promises.agree(world)
    promises.propose(world)
    end_commitment(commitment=promises.agree(world), reason="No money.", author=world.amina, now=timezone.now())

    snapshot = figures_for(world.ben, "promises-kept")

    expected = {
        "Agreed": 5,
        "Kept on time": 1,
        "Kept late": 1,
        "Overdue": 1,
        "Cancelled": 1,
        "Under way": 1,
        "Share kept": Decimal("50.0"),
    }
    assert {label: cells(snapshot, "givers", label)["Larkhaven Homes"] for label in expected} == expected
    assert {label: cells(snapshot, "givers", label)["All"] for label in expected} == expected
    assert cells(snapshot, "overdue", "Days overdue") == {overdue_commitment.reference: 12}
    assert in_time.reference not in str(snapshot)
    assert snapshot.answers[0] == (
        "2 of 5 promises have been kept, 1 of them late. "
        "That is 50.0% of those that were delivered, overdue or cancelled."
    )
    strangers = figures_for(world.chidi, "promises-kept")
    assert [len(table.rows) for table in strangers.tables] == [0, 0]


def test_unanswered_asks_are_counted_by_age_in_whole_days(world: World) -> None:
    now = timezone.now()
    days = [0, 14, 15, 28, 29, 56, 57, 182, 183, 400]
    for age in days:
        ask = shared_entry(
            world.larkhaven,
            world.amina,
            now,
            audience=Audience.PARTNERSHIP,
            partnership=world.partnership,
            closes_on=None,
        )
        Entry.objects.filter(pk=ask.pk).update(shared_at=now - dt.timedelta(days=age))
    shared_entry(world.tidewater, world.chidi, now, audience=Audience.PARTNERSHIP, partnership=world.other_partnership)

    snapshot = figures_for(world.ben, "unanswered-asks")

    bounds = ((14, "Up to 2 weeks"), (28, "Up to 4 weeks"), (56, "Up to 8 weeks"), (182, "Up to half a year"))
    expected_counts = Counter(next((label for last, label in bounds if age <= last), "Longer") for age in days)
    assert cells(snapshot, "ages", "Asks") == {**expected_counts, "All": len(days)}
    oldest_table = snapshot.table("asks")
    assert oldest_table is not None
    assert [row.cells[3] for row in oldest_table.rows] == sorted(days, reverse=True)
    assert snapshot.answers == ("10 asks without an answer; the oldest for 400 days.",)


def test_reciprocity_says_what_each_side_asked_and_promised(world: World) -> None:
    now = timezone.now()
    for _ in range(2):
        shared_entry(
            world.westmarch,
            world.ben,
            now,
            audience=Audience.PARTNERSHIP,
            partnership=world.partnership,
            closes_on=None,
        )
    promises.verified_commitment(world)
    promises.agree(world)

    snapshot = figures_for(world.ben, "reciprocity")
    for_all = figures_for(Everybody([world.westmarch.pk]), "reciprocity")

    table = snapshot.table("partners")
    assert table is not None
    assert Entry.objects.count() == 2
    assert [row.cells for row in table.rows] == [("Larkhaven Homes", 2, 0, 2, 0, 0, 0, 0, 0, 2, 1)]
    assert table.total is not None
    assert table.total.cells[1:] == table.rows[0].cells[1:]
    assert for_all.tables == snapshot.tables
    stranger = figures_for(world.chidi, "reciprocity").table("partners")
    assert stranger is not None
    assert stranger.rows == ()
