"""The report of recommendations counts and lists what organisations did about them, as its reader may know it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.organisations.audience import Everybody, Reader
from partnerships.recommendations.services import add_evidence
from partnerships.reports.snapshot import Cell
from tests.recommendations.reports import (
    SHARE_PLANS,
    adopted_recommendation,
    answer_recommendation,
    make_recommendation,
    report_of,
)
from tests.reports.conftest import cells, figures_for
from tests.world import World

#: The change that the activity log records when an organisation answers a recommendation.
RESPONSE_CHANGED = "Changed its response to a recommendation"


@pytest.fixture
def answered_recommendations(world: World) -> None:
    """Record two of the nine recommendations of a report: one is being worked on, and one is declined."""
    source = report_of(world, total=9)
    recommendation = make_recommendation(world, source=source)
    declined_recommendation = make_recommendation(world, "Meet every year.", source=source)
    response = answer_recommendation(recommendation, world.larkhaven, world.eddie, "not_started")
    answer_recommendation(declined_recommendation, world.westmarch, world.ben, "declined", reason="No money.")
    answer_recommendation(recommendation, world.larkhaven, world.eddie, "under_way")
    add_evidence(
        response=response,
        kind="partnership",
        record=world.partnership.pk,
        author=world.eddie,
        now=timezone.now(),
    )
    adopted_recommendation(world, recommendation)


def changes_for(reader: Reader, query: str = "") -> list[tuple[Cell, ...]]:
    """Return the rows of the report's table of changes, the newest first."""
    table = figures_for(reader, "recommendations", query).table("moved")
    assert table is not None
    return [tuple(row.cells) for row in table.rows]


@pytest.mark.usefixtures("answered_recommendations")
def test_report_counts_the_recommendations_of_each_source(world: World) -> None:
    snapshot = figures_for(world.ben, "recommendations")

    assert cells(snapshot, "sources", "Recorded here") == {"Harbour review (2016)": 2}
    assert cells(snapshot, "sources", "In the report") == {"Harbour review (2016)": 9}
    assert cells(snapshot, "sources", "Being worked on") == {"Harbour review (2016)": 1}
    assert [(chart.table, chart.series) for chart in snapshot.charts] == [("sources", (1, 3))]


@pytest.mark.usefixtures("answered_recommendations")
def test_report_lists_changes_without_the_people_who_made_them(world: World) -> None:
    snapshot = figures_for(world.ben, "recommendations")

    changes = changes_for(world.ben)[::-1]

    assert snapshot.answers[0].startswith("6 changes since ")
    assert [change[1] for change in changes] == [
        RESPONSE_CHANGED,
        RESPONSE_CHANGED,
        RESPONSE_CHANGED,
        "Added evidence",
        "Proposed to adopt a recommendation",
        "Adopted a recommendation",
    ]
    assert changes[2][:4] == (
        SHARE_PLANS,
        RESPONSE_CHANGED,
        "status: Not started to Under way",
        "Larkhaven Homes",
    )
    assert "Eddie" not in str(snapshot)


@pytest.mark.usefixtures("answered_recommendations")
def test_report_of_a_partnership_has_no_recommendation_that_it_has_not_taken_up(world: World) -> None:
    assert len(changes_for(world.ben, f"partnership={world.partnership.pk}")) == 5


@pytest.mark.usefixtures("answered_recommendations")
def test_report_has_no_changes_from_before_its_first_day(world: World) -> None:
    tomorrow = timezone.localdate() + dt.timedelta(days=1)

    assert changes_for(world.ben, f"since={tomorrow.isoformat()}") == []


@pytest.mark.usefixtures("answered_recommendations")
def test_strangers_and_several_organisations_together_read_only_responses(world: World) -> None:
    organisations = Everybody([world.tidewater.pk, world.larkhaven.pk])

    assert [change[1] for change in changes_for(world.chidi)] == [RESPONSE_CHANGED] * 3
    assert [change[1] for change in changes_for(organisations)] == [RESPONSE_CHANGED] * 3
