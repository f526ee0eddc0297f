"""The evidence file has dated records of one organisation, and only those that its reader may read."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.activity.registry import kind_named
from partnerships.reports.snapshot import record_ids_by_kind
from tests.commitments import promises
from tests.conversations import talks
from tests.nominations.quarters import confirmed_return, place_of
from tests.nominations.signed import sign_nominations
from tests.plans.drafts import published_plan
from tests.reports.conftest import cells, figures_for
from tests.world import World


def test_the_file_has_what_the_organisation_delivered_and_published_in_its_days(world: World) -> None:
    verified_commitment = promises.verified_commitment(world)
    today = timezone.localdate()
    promises.agree(world)
    published_plan(world)

    own = figures_for(world.vera, "evidence-file")
    of_partner = figures_for(world.ben, "evidence-file")
    before = figures_for(world.vera, "evidence-file", f"last={today - dt.timedelta(days=1)}")

    assert cells(own, "summary", "Number") == {
        "Meetings attended": 0,
        "Conversations with partners": 0,
        "Commitments delivered": 1,
        "Nominations returns sent": 0,
        "Contributions to plans": 1,
    }
    assert cells(own, "delivered", "Delivered on") == {verified_commitment.text: today}
    assert cells(own, "contributions", "What") == {"Estuary delivery programme, version 1": "Published"}
    assert set(cells(of_partner, "summary", "Number").values()) == {0}
    assert set(cells(before, "summary", "Number").values()) == {0}
    assert own.title == "Evidence of local co-operation: Larkhaven Homes"


def test_each_row_names_its_record_and_the_summary_counts_what_is_not_listed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = sign_nominations(world)
    place_of(world)
    confirmed_return(world, agreement)
    promises.verified_commitment(world)
    promises.verified_commitment(world)
    published_plan(world)
    query = f"last={promises.in_days(200)}"

    whole = figures_for(world.amina, "evidence-file", query)
    monkeypatch.setattr("partnerships.reports.kinds.evidence_file._MAX_ROWS", 1)
    shortened = figures_for(world.amina, "evidence-file", query)

    records = record_ids_by_kind(whole)
    assert [row.href for table in whole.tables for row in table.rows if row.href and not row.record] == []
    assert set(records) >= {"nominations_return", "commitment", "plan_version"}
    for kind, numbers in records.items():
        record_kind = kind_named(kind)
        assert record_kind is not None
        assert record_kind.visible_ids(world.amina).filter(pk__in=numbers).count() == len(numbers)
        assert not record_kind.visible_ids(world.chidi).filter(pk__in=numbers).exists()
    assert cells(shortened, "summary", "Number") == cells(whole, "summary", "Number")
    assert cells(whole, "summary", "Number")["Commitments delivered"] == 2
    delivered = shortened.table("delivered")
    assert delivered is not None
    assert len(delivered.rows) == 1
    assert delivered.note == "This table has the newest 1 row, out of 2."


def test_contact_says_who_met_whom_and_when_last(world: World) -> None:
    talks.circulated_conversation(world)
    talks.circulated_conversation(world, held_on=talks.days_ago(40))
    talks.circulated_conversation(world, held_on=talks.days_ago(400))

    snapshot = figures_for(world.ben, "contact")

    pair = "Larkhaven Homes and Westmarch Borough Council"
    assert cells(snapshot, "pairs", "Conversations") == {pair: 2}
    assert cells(snapshot, "pairs", "Last met on") == {pair: talks.days_ago(5)}
    assert cells(snapshot, "matrix", "Larkhaven Homes") == {"Larkhaven Homes": None, "Westmarch Borough Council": 2}
    assert cells(figures_for(world.chidi, "contact"), "pairs", "Conversations") == {}
