"""Objectives of a partnership show their pace, reports and links to the people who may read them at that time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.former_parties import former_party
from partnerships.agreements.models import Objective, ObjectiveLink, ObjectiveProgress
from partnerships.agreements.models.pace import pace
from partnerships.agreements.queries.objectives import objective_states
from partnerships.agreements.services import (
    ProgressReport,
    UnableToChangeObjective,
    add_objective,
    change_objective_status,
    edit_objective,
    link_record,
    move_objective,
    report_progress,
    unlink_record,
)
from partnerships.organisations.audience import Everybody
from tests.commitments.promises import agree
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

TODAY = timezone.localdate


def add(world: World, text: str = "More homes for social rent", **fields: Any) -> Objective:
    """Add an objective of Larkhaven that Eddie owns. `fields` replace the usual values."""
    usual_fields: dict[str, Any] = {
        "text": text,
        "measure": "Homes started",
        "unit": "homes",
        "baseline": Decimal(0),
        "baseline_on": TODAY() - dt.timedelta(days=100),
        "target": Decimal(100),
        "target_on": TODAY() + dt.timedelta(days=100),
        "organisation": world.larkhaven,
        "owner": world.eddie,
    }
    return add_objective(partnership=world.partnership, author=world.eddie, now=timezone.now(), **usual_fields | fields)


def report(
    world: World, objective: Objective, figure: int | Decimal, days_ago: int = 0, **fields: Any
) -> ObjectiveProgress:
    """Report this figure for the objective, as Ben of Westmarch."""
    return report_progress(
        objective=objective,
        report=ProgressReport(on=TODAY() - dt.timedelta(days=days_ago), figure=Decimal(figure), **fields),
        author=world.ben,
        organisation=world.westmarch,
        now=timezone.now(),
    )


@pytest.mark.parametrize(
    ("target", "figure", "percent", "on_track"),
    [(100, 60, 60, True), (100, 40, 40, False), (-100, -60, 60, True), (-100, -40, 40, False), (100, 120, 120, True)],
)
def test_steady_progress_decides_whether_an_objective_is_on_track(
    target: int, figure: int, percent: int, on_track: bool
) -> None:
    start = dt.date(2027, 1, 1)
    goal = dt.date(2027, 4, 11)

    current_pace = pace(
        [(dt.date(2027, 2, 20), Decimal(figure))],
        start=(start, Decimal(0)),
        goal=(goal, Decimal(target)),
        today=dt.date(2027, 2, 20),
    )

    assert current_pace.percent == percent
    assert current_pace.is_on_track == on_track
    assert abs(current_pace.expected) == Decimal(50)


def test_after_the_target_date_only_the_target_counts() -> None:
    current_pace = pace(
        [(dt.date(2027, 2, 20), Decimal(99))],
        start=(dt.date(2027, 1, 1), Decimal(0)),
        goal=(dt.date(2027, 4, 11), Decimal(100)),
        today=dt.date(2027, 4, 12),
    )

    assert not current_pace.is_on_track
    assert not current_pace.is_reached


@pytest.fixture
def objective_behind(world: World) -> Objective:
    """Return an objective that is blocked by planning, with reports of 20 and then 30 homes."""
    objective = add(world)
    report(world, objective, 20, days_ago=50)
    report(world, objective, 30, blocked_by="Planning permission")
    return objective


@pytest.mark.usefixtures("objective_behind")
def test_the_table_says_whether_an_objective_is_on_track(world: World) -> None:
    [row] = objective_states(world.ben, world.partnership, None, TODAY())

    assert row.now == "30 homes"
    assert row.pace.percent == 30
    assert row.tag == "behind"
    assert row.words.startswith("Behind. With steady progress the figure would be 50 homes")
    assert row.trend.startswith("Up 10 homes since")


@pytest.mark.usefixtures("objective_behind")
def test_the_page_of_a_partnership_says_what_blocks_an_objective(world: World) -> None:
    html = signed_in(world.ben).get(world.partnership.get_absolute_url()).content.decode()

    assert "Planning permission" in html
    assert "More homes for social rent" in html


def test_a_report_cannot_be_changed_or_deleted_in_the_database(world: World) -> None:
    progress = report(world, add(world), 20)

    for write in (lambda: ObjectiveProgress.objects.update(figure=50), lambda: progress.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()

    assert ObjectiveProgress.objects.get().figure == 20


def form_of_stale_change(world: World, objective: Objective) -> dict[str, Any]:
    """Return Eddie's change of an objective, without its revision, after Ben has changed the objective."""
    edit_objective(
        objective=objective,
        revision=1,
        reason="Clearer.",
        text="More social homes",
        author=world.ben,
        now=timezone.now(),
    )
    return {
        "text": "Many more homes",
        "measure": "Homes started",
        "unit": "homes",
        "baseline": "0",
        "baseline_on": objective.baseline_on.isoformat(),
        "target": "100",
        "target_on": objective.target_on.isoformat(),
        "organisation": world.larkhaven.pk,
        "owner": world.eddie.pk,
        "reason": "Better.",
    }


def test_a_stale_change_is_refused_and_shows_both_texts(world: World) -> None:
    objective = add(world)
    form = form_of_stale_change(world, objective)
    address = reverse("agreements:objective-edit", args=[world.partnership.pk, objective.pk])

    response = signed_in(world.eddie).post(address, form | {"revision": "1"})

    html = response.content.decode()
    assert response.status_code == 422
    assert "More social homes" in html
    assert "Many more homes" in html
    assert 'value="2"' in html


def test_a_change_of_the_newest_revision_is_saved(world: World) -> None:
    objective = add(world)
    form = form_of_stale_change(world, objective)
    address = reverse("agreements:objective-edit", args=[world.partnership.pk, objective.pk])

    response = signed_in(world.eddie).post(address, form | {"revision": "2"})

    assert response.status_code == 302


def linked_commitments(world: World) -> str:
    """Return how many commitments the table shows with the only objective, as Amina sees it."""
    [row] = objective_states(world.amina, world.partnership, None, TODAY())
    return row.commitments


@pytest.fixture
def link_of_commitment(world: World) -> ObjectiveLink:
    """Return the link of a commitment to the only objective of the partnership."""
    commitment = agree(world, partnership=world.partnership)
    return link_record(
        objective=add(world), provider="commitment", key=str(commitment.pk), author=world.eddie, now=timezone.now()
    )


@pytest.mark.usefixtures("link_of_commitment")
def test_a_linked_commitment_is_included_in_the_row_of_its_objective(world: World) -> None:
    assert linked_commitments(world) == "1"


def test_an_unlinked_commitment_is_not_included_in_the_row_of_its_objective(
    world: World, link_of_commitment: ObjectiveLink
) -> None:
    unlink_record(link=link_of_commitment, author=world.eddie, now=timezone.now())

    assert linked_commitments(world) == ""


def test_a_record_that_does_not_exist_cannot_be_linked_to_an_objective(world: World) -> None:
    with pytest.raises(UnableToChangeObjective, match="list"):
        link_record(objective=add(world), provider="commitment", key="0", author=world.eddie, now=timezone.now())


def test_a_former_party_reads_the_objectives_as_they_were(world: World) -> None:
    objective = add(world)
    report(world, objective, 20, days_ago=50)
    leave_partnership_as_westmarch(world)
    later = timezone.now() + dt.timedelta(seconds=1)
    add_objective(
        partnership=world.partnership,
        author=world.eddie,
        now=later,
        text="A later one",
        measure="Days",
        baseline=Decimal(0),
        baseline_on=TODAY(),
        target=Decimal(1),
        target_on=TODAY() + dt.timedelta(days=9),
        organisation=world.larkhaven,
    )
    report_progress(
        objective=objective,
        report=ProgressReport(on=TODAY(), figure=Decimal(90)),
        author=world.eddie,
        now=later,
    )

    html = signed_in(world.ben).get(reverse("agreements:objectives", args=[world.partnership.pk])).content.decode()

    assert former_party(world.ben, world.partnership) is not None
    assert "20 homes" in html
    assert "90 homes" not in html


def test_an_objective_moves_up_in_the_table(world: World) -> None:
    add(world)
    second_objective = add(world, "Fewer empty homes")

    move_objective(objective=second_objective, up=True, author=world.eddie, now=timezone.now())

    texts = [row.objective.text for row in objective_states(world.ben, world.partnership, None, TODAY())]
    assert texts == ["Fewer empty homes", "More homes for social rent"]


def test_a_closed_objective_takes_no_reports(world: World) -> None:
    objective = add(world)
    change_objective_status(
        objective=objective, status="dropped", reason="No money.", author=world.ben, now=timezone.now()
    )

    with pytest.raises(UnableToChangeObjective, match="closed"):
        report(world, objective, 30)


def test_a_closed_objective_is_opened_again_only_with_a_reason(world: World) -> None:
    objective = add(world)
    change_objective_status(
        objective=objective, status="dropped", reason="No money.", author=world.ben, now=timezone.now()
    )

    with pytest.raises(UnableToChangeObjective, match="reason"):
        change_objective_status(objective=objective, status="open", reason=" ", author=world.ben, now=timezone.now())


@pytest.mark.django_db
def test_objectives_are_visible_to_everybody_of_both_parties(world: World) -> None:
    objective = add(world)

    visible_objectives = Objective.objects.visible_to(Everybody([world.larkhaven.pk, world.westmarch.pk]))

    assert list(visible_objectives) == [objective]


def test_objectives_are_hidden_if_one_of_two_organisations_is_no_party(world: World) -> None:
    add(world)

    visible_objectives = Objective.objects.visible_to(Everybody([world.larkhaven.pk, world.tidewater.pk]))

    assert not visible_objectives.exists()


def test_objectives_are_hidden_from_visitors(world: World) -> None:
    add(world)

    visible_objectives = Objective.objects.visible_to(AnonymousUser())

    assert not visible_objectives.exists()
