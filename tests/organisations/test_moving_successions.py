"""The migration turns two lists of organisations into ties, and removes parents that are the organisation itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from tests.support.empty_database import empty_database

BEFORE = [("organisations", "0006_reword_end_of_organisation")]
AFTER = "0015_former_short_names"
MOVED = "cg_successions_moved_by_a_test"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def database() -> Iterator[None]:
    """Use an empty database instead of the suite's database."""
    with empty_database(MOVED):
        yield


def fill(apps: StateApps) -> dict[str, int]:
    """Add two districts that became one council, a boundary change with both on both sides, and a body above itself."""
    model = {
        name: apps.get_model("organisations", name)
        for name in ("Organisation", "Succession", "SuccessionPredecessor", "SuccessionSuccessor")
    }
    bodies = {name: model["Organisation"].objects.create(name=name, kind="council").pk for name in "ABC"}
    model["Organisation"].objects.filter(pk=bodies["C"]).update(parent_id=bodies["C"])
    for kind, vesting_day, predecessors, successors in (
        ("merge", dt.date(2021, 4, 1), "AB", "C"),
        ("boundary_change", None, "AB", "AB"),
    ):
        succession = model["Succession"].objects.create(kind=kind, on=vesting_day)
        for side, names in (("SuccessionPredecessor", predecessors), ("SuccessionSuccessor", successors)):
            for name in names:
                model[side].objects.create(succession=succession, organisation_id=bodies[name])
    return bodies


def test_two_lists_become_ties_and_keep_every_body_and_day(database: None) -> None:
    MigrationExecutor(connection).migrate(BEFORE)
    bodies = fill(MigrationExecutor(connection).loader.project_state(BEFORE).apps)

    call_command("migrate", "organisations", AFTER, verbosity=0)

    names = {pk: name for name, pk in bodies.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.kind, s.status, s.vests_on, t.predecessor_id, t.successor_id, t.role"
            " FROM organisations_successiontie t JOIN organisations_succession s ON s.id = t.succession_id"
        )
        ties = [(*row[:3], names[row[3]] + names[row[4]], row[5]) for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM organisations_organisation WHERE parent_id IS NOT NULL")
        parent_count = cursor.fetchone()
    boundary_change = "boundary_change", "effective", None
    assert sorted(ties, key=str) == sorted(
        [
            ("merge", "effective", "2021-04-01", "AC", "successor"),
            ("merge", "effective", "2021-04-01", "BC", "successor"),
            (*boundary_change, "AA", "continuing"),
            (*boundary_change, "AB", "successor"),
            (*boundary_change, "BA", "successor"),
            (*boundary_change, "BB", "continuing"),
        ],
        key=str,
    )
    assert parent_count == (0,)
