"""The report of recommendations agrees with the steps of the test."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.organisations.audience import Everybody
from partnerships.recommendations.services import add_evidence
from tests.recommendations.reports import (
    SHARE_PLANS,
    adopted_recommendation,
    answer_recommendation,
    make_recommendation,
    report_of,
)
from tests.reports.conftest import cells, figures_for
from tests.world import World


def test_report_shows_changes_since_a_day_and_recommendations_being_worked_on(world: World) -> None:
    source = report_of(world, total=9)
    made, other = (
        make_recommendation(world, source=source),
        make_recommendation(world, "Meet every year.", source=source),
    )
    response = answer_recommendation(made, world.larkhaven, world.eddie, "not_started")
    answer_recommendation(other, world.westmarch, world.ben, "declined", reason="No money.")
    answer_recommendation(made, world.larkhaven, world.eddie, "under_way")
    add_evidence(
        response=response,
        kind="partnership",
        record=world.partnership.pk,
        author=world.eddie,
        now=timezone.now(),
    )
    adopted_recommendation(world, made)
    tomorrow = (timezone.localdate() + dt.timedelta(days=1)).isoformat()

    own = figures_for(world.ben, "recommendations")

    assert cells(own, "sources", "Recorded here") == {"Harbour review (2016)": 2}
    assert cells(own, "sources", "In the report") == {"Harbour review (2016)": 9}
    assert cells(own, "sources", "Being worked on") == {"Harbour review (2016)": 1}
    assert [(chart.table, chart.series) for chart in own.charts] == [("sources", (1, 3))]
    changes_table = own.table("moved")
    assert changes_table is not None
    changes = [row.cells[:4] for row in changes_table.rows][::-1]
    answered = "Changed its response to a recommendation"
    assert [what for _, what, _, _ in changes] == [
        answered,
        answered,
        answered,
        "Added evidence",
        "Proposed to adopt a recommendation",
        "Adopted a recommendation",
    ]
    assert changes[2] == (SHARE_PLANS, answered, "status: Not started to Under way", "Larkhaven Homes")
    assert "Eddie" not in str(own)
    assert own.answers[0].startswith("6 changes since ")
    of_partnership = figures_for(world.ben, "recommendations", f"partnership={world.partnership.pk}").table("moved")
    assert of_partnership is not None
    assert len(of_partnership.rows) == 5  # the partnership has not taken up the other recommendation
    later = figures_for(world.ben, "recommendations", f"since={tomorrow}").table("moved")
    assert later is not None
    assert later.rows == ()
    # Strangers may read only responses, and so may the people of several organisations together.
    for reader in (world.chidi, Everybody([world.tidewater.pk, world.larkhaven.pk])):
        rows = figures_for(reader, "recommendations").table("moved")
        assert rows is not None
        assert [row.cells[1] for row in rows.rows] == [answered] * 3
