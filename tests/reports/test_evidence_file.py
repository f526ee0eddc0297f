"""The evidence file has dated records of one organisation, and only those that its reader may read."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.activity.registry import kind_named
from partnerships.commitments.models import Commitment
from partnerships.reports.kinds import evidence_file
from partnerships.reports.snapshot import record_ids_by_kind
from tests.commitments import promises
from tests.conversations import talks
from tests.nominations.quarters import confirmed_return, place_of
from tests.nominations.signed import sign_nominations
from tests.plans.drafts import published_plan
from tests.reports.conftest import cells, figures_for
from tests.world import World


@pytest.fixture
def delivered_commitment(world: World) -> Commitment:
    """Return a commitment that Larkhaven delivered today, when it also promised another and published a plan."""
    commitment = promises.verified_commitment(world)
    promises.agree(world)
    published_plan(world)
    return commitment


def test_the_file_has_what_the_organisation_delivered_and_published(
    world: World, delivered_commitment: Commitment
) -> None:
    snapshot = figures_for(world.vera, "evidence-file")

    assert snapshot.title == "Evidence of local co-operation: Larkhaven Homes"
    assert cells(snapshot, "summary", "Number") == {
        "Meetings attended": 0,
        "Conversations with partners": 0,
        "Commitments delivered": 1,
        "Nominations returns sent": 0,
        "Contributions to plans": 1,
    }
    assert cells(snapshot, "delivered", "Delivered on") == {delivered_commitment.text: timezone.localdate()}
    assert cells(snapshot, "contributions", "What") == {"Estuary delivery programme, version 1": "Published"}


@pytest.mark.usefixtures("delivered_commitment")
def test_the_file_of_a_partner_has_nothing_of_the_organisation(world: World) -> None:
    snapshot = figures_for(world.ben, "evidence-file")

    assert set(cells(snapshot, "summary", "Number").values()) == {0}


@pytest.mark.usefixtures("delivered_commitment")
def test_the_file_has_nothing_from_after_its_last_day(world: World) -> None:
    yesterday = timezone.localdate() - dt.timedelta(days=1)

    snapshot = figures_for(world.vera, "evidence-file", f"last={yesterday}")

    assert set(cells(snapshot, "summary", "Number").values()) == {0}


@pytest.fixture
def evidence_query(world: World) -> str:
    """Return the query of a file with a return, two commitments that were delivered, and a plan."""
    agreement = sign_nominations(world)
    place_of(world)
    confirmed_return(world, agreement)
    promises.verified_commitment(world)
    promises.verified_commitment(world)
    published_plan(world)
    return f"last={promises.in_days(200)}"


def test_each_row_names_its_record(world: World, evidence_query: str) -> None:
    snapshot = figures_for(world.amina, "evidence-file", evidence_query)

    assert [row.href for table in snapshot.tables for row in table.rows if row.href and not row.record] == []
    assert set(record_ids_by_kind(snapshot)) >= {"nominations_return", "commitment", "plan_version"}


def test_only_readers_of_the_records_in_an_evidence_file_find_them(world: World, evidence_query: str) -> None:
    records = record_ids_by_kind(figures_for(world.amina, "evidence-file", evidence_query))

    for kind, record_ids in records.items():
        record_kind = kind_named(kind)
        assert record_kind is not None
        assert record_kind.visible_ids(world.amina).filter(pk__in=record_ids).count() == len(record_ids)
        assert not record_kind.visible_ids(world.chidi).filter(pk__in=record_ids).exists()


def test_summary_of_an_evidence_file_includes_what_its_tables_leave_out(
    world: World, evidence_query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_file, "MAX_ROWS", 1)

    snapshot = figures_for(world.amina, "evidence-file", evidence_query)

    delivered = snapshot.table("delivered")
    assert delivered is not None
    assert cells(snapshot, "summary", "Number")["Commitments delivered"] == 2
    assert len(delivered.rows) == 1
    assert delivered.note == "This table has the newest 1 row, out of 2."


def test_summary_of_an_evidence_file_is_the_same_with_shorter_tables(
    world: World, evidence_query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = figures_for(world.amina, "evidence-file", evidence_query)

    monkeypatch.setattr(evidence_file, "MAX_ROWS", 1)
    shortened = figures_for(world.amina, "evidence-file", evidence_query)

    assert cells(shortened, "summary", "Number") == cells(whole, "summary", "Number")


def test_contact_says_who_met_whom_and_when_last(world: World) -> None:
    talks.circulated_conversation(world)
    talks.circulated_conversation(world, held_on=talks.days_ago(40))
    talks.circulated_conversation(world, held_on=talks.days_ago(400))

    snapshot = figures_for(world.ben, "contact")

    pair = "Larkhaven Homes and Westmarch Borough Council"
    assert cells(snapshot, "pairs", "Conversations") == {pair: 2}
    assert cells(snapshot, "pairs", "Last met on") == {pair: talks.days_ago(5)}
    assert cells(snapshot, "matrix", "Larkhaven Homes") == {"Larkhaven Homes": None, "Westmarch Borough Council": 2}


def test_a_stranger_gets_no_contact_of_others(world: World) -> None:
    talks.circulated_conversation(world)

    snapshot = figures_for(world.chidi, "contact")

    assert cells(snapshot, "pairs", "Conversations") == {}
